/* The tensor commands of RedisAI, for a stock Valkey or Redis server.
 *
 * DESIGN
 *
 * A tensor is a plain string: its raw bytes, as they came, and behind them a trailer that says what they are.
 *
 *     data | dimensions, 8 bytes each | type, 1 byte | rank, 1 byte | "TENSOR"
 *
 * Everything is little-endian, and the type is a character of Python's struct module ('f' is a float). The trailer is at the
 * end, so that the bytes need not be moved when it is added, and its size follows from its last eight bytes.
 *
 * Because a tensor is a string, AI.TENSORSET is SET: that is what runs, is logged and goes to replicas. Persistence, replication,
 * slot migration, COPY, RENAME, EXPIRE, keyspace events and memory limits are then the server's own, and a dump loads without
 * this module. Who brings the bytes of a tensor is served by `rewrite`, a filter that makes one command of the other before the
 * server looks it up, so that the value is the very buffer that the network was read into: through any other door, the server
 * copies it once more. Who brings values, or nothing, or makes a mistake, is served by `tensor_set`.
 *
 * Every other AI command needs a machine-learning framework, which has no business in the process that holds the data. It is
 * for a worker; as long as there is none, the answer says so. Such commands begin in `no_worker`.
 *
 * WHERE A READER WOULD BE HURT
 *
 * - `rewrite` sees the commands of all clients, before the server asks who they are. It must be quick, and take no more memory
 *   than the client has sent.
 * - Anybody can SET a string that looks like a tensor. `read_trailer` trusts nothing, and nothing else reads a value.
 * - A client can name any shape. Sizes are multiplied with overflow checks, and bytes are only allocated for values that came,
 *   or up to LARGEST_ZEROS.
 * - Numbers in a value are not aligned: they are copied out, never pointed at.
 *
 * No header of the server is needed. Its functions are asked for by name when the module is loaded; those in SERVER below are in
 * all versions since Redis 6.2. They are described at https://valkey.io/topics/modules-api-ref/ */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are stored as they lie in memory, which is little-endian");

/* ---- The server ---------------------------------------------------------------------------------------------------------- */

typedef struct Context { int (*get_api)(const char *name, void *function); } Context; /* its first field is all that we touch */
typedef struct String String;
typedef struct Key Key;
typedef struct Reply Reply;
typedef struct Filter Filter;
typedef int Command(Context *, String **argv, int argc);

enum { OK = 0, ERR = 1, API_VERSION = 1, READ = 1, EMPTY_KEY = 0, STRING_KEY = 1 };

#define SERVER(X) \
    X(void, SetModuleAttribs, Context *, const char *name, int version, int api_version) \
    X(int, CreateCommand, Context *, const char *name, Command *, const char *flags, int first, int last, int step) \
    X(String *, CreateString, Context *, const char *, size_t) \
    X(void, FreeString, Context *, String *) \
    X(const char *, StringPtrLen, const String *, size_t *length) \
    X(int, StringToLongLong, const String *, long long *) \
    X(int, StringToDouble, const String *, double *) \
    X(int, StringAppendBuffer, Context *, String *, const char *, size_t) \
    X(Key *, OpenKey, Context *, String *, int mode) \
    X(void, CloseKey, Key *) \
    X(int, KeyType, Key *) \
    X(char *, StringDMA, Key *, size_t *length, int mode) \
    X(void *, RegisterCommandFilter, Context *, void (*)(Filter *), int flags) \
    X(int, CommandFilterArgsCount, Filter *) \
    X(String *, CommandFilterArgGet, Filter *, int) \
    X(int, CommandFilterArgReplace, Filter *, int, String *) \
    X(int, CommandFilterArgDelete, Filter *, int) \
    X(Reply *, Call, Context *, const char *command, const char *format, ...) \
    X(void, FreeCallReply, Reply *) \
    X(int, ReplyWithCallReply, Context *, Reply *) \
    X(int, ReplyWithError, Context *, const char *) \
    X(int, ReplyWithArray, Context *, long) \
    X(int, ReplyWithLongLong, Context *, long long) \
    X(int, ReplyWithDouble, Context *, double) \
    X(int, ReplyWithStringBuffer, Context *, const char *, size_t) \
    X(int, WrongArity, Context *)

#define DECLARE(result, name, ...) static result (*name)(__VA_ARGS__);
SERVER(DECLARE)

/* Whether an argument is this word, in any case. */
static int is(const String *argument, const char *word) {
    size_t length;
    const char *text = StringPtrLen(argument, &length);
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

/* ---- What a tensor is ---------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    char code;
    unsigned char size;  /* bytes of an element; 0: of any length, and ended by a zero byte */
    long long low, high; /* what an integer can be */
} Type;

static const Type TYPES[] = {
    {"FLOAT", 'f', 4, 0, 0},
    {"DOUBLE", 'd', 8, 0, 0},
    {"INT8", 'b', 1, INT8_MIN, INT8_MAX},
    {"INT16", 'h', 2, INT16_MIN, INT16_MAX},
    {"INT32", 'i', 4, INT32_MIN, INT32_MAX},
    {"INT64", 'q', 8, INT64_MIN, INT64_MAX},
    {"UINT8", 'B', 1, 0, UINT8_MAX},
    {"UINT16", 'H', 2, 0, UINT16_MAX},
    {"BOOL", '?', 1, 0, 1},
    {"STRING", 's', 0, 0, 0},
};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

#define MAGIC "TENSOR"
enum {
    MAGIC_SIZE = 6,
    TAIL_SIZE = 2 + MAGIC_SIZE,
    MAX_RANK = 32, /* numpy's, in all its versions */
    MAX_TRAILER = 8 * MAX_RANK + TAIL_SIZE,
    BIG_ARGUMENT = 32 << 10,   /* from here on, an argument is the buffer that the network was read into, and worth keeping */
    LARGEST_ZEROS = 512 << 20, /* bytes of a tensor without data; what a stock server takes as a string */
};

typedef struct {
    const Type *type;
    int rank;
    int64_t dims[MAX_RANK];
    uint64_t count; /* of elements: the product of the dimensions, 1 without any */
} Shape;

/* Add a dimension. 0 if it is none, or one too many, or if there were more bytes than numbers for them. */
static int extend(Shape *shape, long long dimension) {
    if (dimension <= 0 || shape->rank == MAX_RANK) return 0;
    shape->dims[shape->rank++] = dimension;
    return !__builtin_mul_overflow(shape->count, (uint64_t)dimension, &shape->count) && shape->count <= INT64_MAX / 8;
}

/* Whether bytes are as many as a shape asks for; of strings, whether they are as many strings. */
static int fits(const Shape *shape, const char *data, size_t length) {
    if (shape->type->size) return length == shape->count * shape->type->size;
    uint64_t ends = 0;
    const char *end = data + length;
    for (const char *at = data; at < end && (at = memchr(at, 0, (size_t)(end - at))); at++) ends++;
    return ends == shape->count && end[-1] == 0;
}

/* Write a trailer; its length. */
static size_t write_trailer(const Shape *shape, char trailer[MAX_TRAILER]) {
    size_t length = (size_t)shape->rank * sizeof *shape->dims;
    memcpy(trailer, shape->dims, length);
    trailer[length++] = shape->type->code;
    trailer[length++] = (char)shape->rank;
    memcpy(trailer + length, MAGIC, MAGIC_SIZE);
    return length + MAGIC_SIZE;
}

/* Read the trailer of a value of any bytes, and take it off *length. 0 if the value is no tensor. */
static int read_trailer(const char *value, size_t *length, Shape *shape) {
    if (*length < TAIL_SIZE || memcmp(value + *length - MAGIC_SIZE, MAGIC, MAGIC_SIZE) != 0) return 0;
    const char *tail = value + *length - TAIL_SIZE;
    int rank = (unsigned char)tail[1];
    if (rank > MAX_RANK || *length < TAIL_SIZE + (size_t)rank * sizeof *shape->dims) return 0;
    *shape = (Shape){.count = 1};
    for (int i = 0; i < TYPE_COUNT; i++) {
        if (TYPES[i].code == tail[0]) shape->type = &TYPES[i];
    }
    for (int i = 0; i < rank; i++) {
        int64_t dimension;
        memcpy(&dimension, tail - (size_t)(rank - i) * sizeof dimension, sizeof dimension);
        if (!extend(shape, dimension)) return 0;
    }
    *length -= TAIL_SIZE + (size_t)rank * sizeof *shape->dims;
    return shape->type && fits(shape, value, *length);
}

/* ---- AI.TENSORSET -------------------------------------------------------------------------------------------------------- */

/* Write an argument as an element; 0 if it is none. */
static int write_element(const Type *type, const String *argument, char *at) {
    double real;
    long long whole;
    if (type->code == 'f' || type->code == 'd') {
        if (StringToDouble(argument, &real) != OK) return 0;
        float single = (float)real;
        if (type->code == 'f' && isinf(single) && !isinf(real)) return 0;
        memcpy(at, type->code == 'f' ? (void *)&single : (void *)&real, type->size);
        return 1;
    }
    if (StringToLongLong(argument, &whole) != OK || whole < type->low || whole > type->high) return 0;
    memcpy(at, &whole, type->size);
    return 1;
}

/* Write arguments as elements; what is wrong with one of them, or NULL. */
static const char *write_values(const Shape *shape, String **arguments, char *at) {
    const Type *type = shape->type;
    for (uint64_t i = 0; i < shape->count; i++) {
        size_t size = type->size;
        if (size) {
            if (!write_element(type, arguments[i], at)) {
                return type->code == '?' ? "ERR BOOL tensor elements must be 0 or 1" : "ERR invalid value";
            }
        } else {
            const char *text = StringPtrLen(arguments[i], &size);
            if (memchr(text, 0, size)) return "ERR invalid value"; /* it would be two strings */
            memcpy(at, text, size);
            at[size++] = 0;
        }
        at += size;
    }
    return NULL;
}

/* The same for the bytes of a whole tensor. */
static const char *write_blob(const Shape *shape, const String *blob, char *at) {
    size_t length;
    const char *data = StringPtrLen(blob, &length);
    if (!fits(shape, data, length)) {
        return shape->type->size ? "ERR data length does not match tensor shape and type"
                                 : "ERR Number of string elements in data blob does not match tensor length";
    }
    unsigned char bits = 0;
    for (size_t i = 0; shape->type->code == '?' && i < length; i++) bits |= (unsigned char)data[i];
    if (bits > 1) return "ERR BOOL tensor elements must be 0 or 1";
    if (at) memcpy(at, data, length);
    return NULL;
}

/* Read the arguments up to the data; what is wrong with them, or NULL. *data is where BLOB or VALUES is, or argc. */
static const char *read_shape(String **argv, int argc, Shape *shape, int *data) {
    *shape = (Shape){.count = 1};
    for (int i = 0; i < TYPE_COUNT; i++) {
        if (is(argv[2], TYPES[i].name)) shape->type = &TYPES[i];
    }
    if (!shape->type) return "ERR invalid data type";
    int i = 3;
    for (; i < argc && !is(argv[i], "BLOB") && !is(argv[i], "VALUES"); i++) {
        long long dimension;
        if (shape->rank == MAX_RANK) return "ERR a tensor has at most 32 dimensions";
        if (StringToLongLong(argv[i], &dimension) != OK || !extend(shape, dimension)) {
            return "ERR invalid or negative value found in tensor shape";
        }
    }
    *data = i;
    if (i == argc) return shape->count > LARGEST_ZEROS / 8 ? "ERR a tensor without data is too large" : NULL;
    if (is(argv[i], "BLOB") && argc - i != 2) {
        return "ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command";
    }
    if (is(argv[i], "VALUES") && (uint64_t)(argc - i - 1) != shape->count) {
        return "ERR wrong number of values was given in 'AI.TENSORSET' command";
    }
    return NULL;
}

/* The string that a command is to store: a new one, or its blob, with the trailer behind it. NULL, and *error, if it is wrong. */
static String *tensor_value(String **argv, int argc, const char **error) {
    Shape shape;
    int data;
    if ((*error = read_shape(argv, argc, &shape, &data))) return NULL;

    int blob = data < argc && is(argv[data], "BLOB"), texts = data < argc && !blob && !shape.type->size;
    size_t length = texts ? 0 : shape.count * (shape.type->size ? shape.type->size : 1), size;
    if (blob) StringPtrLen(argv[argc - 1], &length);
    for (int i = data + 1; texts && i < argc; i++, length += size + 1) StringPtrLen(argv[i], &size);
    char trailer[MAX_TRAILER];
    size_t end = write_trailer(&shape, trailer);
    if (blob && length >= BIG_ARGUMENT) {
        if ((*error = write_blob(&shape, argv[argc - 1], NULL))) return NULL;
        if (StringAppendBuffer(NULL, argv[argc - 1], trailer, end) == OK) return argv[argc - 1];
    } /* it is not, where another module called us, and holds the argument */

    char *value = calloc(length + end, 1);
    if (!value) return *error = "OOM no memory for this tensor", NULL;
    if (data < argc) *error = blob ? write_blob(&shape, argv[argc - 1], value) : write_values(&shape, argv + data + 1, value);
    memcpy(value + length, trailer, end);
    String *string = *error ? NULL : CreateString(NULL, value, length + end);
    free(value);
    return string;
}

/* Make SET of an AI.TENSORSET that ends in BLOB data, if it is right. */
static void rewrite(Filter *command) {
    int argc = CommandFilterArgsCount(command);
    if (argc < 5 || argc > MAX_RANK + 5 || !is(CommandFilterArgGet(command, 0), "AI.TENSORSET")) return;
    if (!is(CommandFilterArgGet(command, argc - 2), "BLOB")) return;
    String *argv[MAX_RANK + 5];
    for (int i = 0; i < argc; i++) argv[i] = CommandFilterArgGet(command, i);
    const char *error;
    String *value = tensor_value(argv, argc, &error);
    if (!value) return;
    if (value != argv[argc - 1]) CommandFilterArgReplace(command, argc - 1, value);
    for (int i = argc - 2; i >= 2; i--) CommandFilterArgDelete(command, i);
    CommandFilterArgReplace(command, 0, CreateString(NULL, "SET", 3));
}

/* AI.TENSORSET key type [dimension ...] [BLOB data | VALUES value ...]   -> OK; zeros without data. */
static int tensor_set(Context *ctx, String **argv, int argc) {
    if (argc < 3) return WrongArity(ctx);
    const char *error;
    String *value = tensor_value(argv, argc, &error);
    if (!value) return ReplyWithError(ctx, error);
    Reply *reply = Call(ctx, "SET", "!ss", argv[1], value);
    if (value != argv[argc - 1]) FreeString(NULL, value);
    if (!reply) return ReplyWithError(ctx, "ERR AI.TENSORSET: the server has no SET; is that command renamed?");
    ReplyWithCallReply(ctx, reply);
    FreeCallReply(reply);
    return OK;
}

/* ---- AI.TENSORGET -------------------------------------------------------------------------------------------------------- */

/* Reply with the element at *at, and go to the next. */
static void reply_element(Context *ctx, const Type *type, const char **at) {
    size_t size = type->size ? type->size : strlen(*at) + 1; /* `fits` found the zero byte */
    if (type->code == 's') {
        ReplyWithStringBuffer(ctx, *at, size - 1);
    } else if (type->code == 'f') {
        float single;
        memcpy(&single, *at, size);
        ReplyWithDouble(ctx, (double)single);
    } else if (type->code == 'd') {
        double real;
        memcpy(&real, *at, size);
        ReplyWithDouble(ctx, real);
    } else {
        long long whole = 0;
        memcpy(&whole, *at, size);
        if (type->low < 0 && whole > type->high) whole += 2 * type->low; /* a negative number of fewer bytes */
        ReplyWithLongLong(ctx, whole);
    }
    *at += size;
}

static void reply_tensor(Context *ctx, const Shape *shape, const char *data, size_t length, int meta, int blob, int values) {
    if (meta) {
        ReplyWithArray(ctx, blob || values ? 6 : 4);
        ReplyWithStringBuffer(ctx, "dtype", 5);
        ReplyWithStringBuffer(ctx, shape->type->name, strlen(shape->type->name));
        ReplyWithStringBuffer(ctx, "shape", 5);
        ReplyWithArray(ctx, shape->rank);
        for (int i = 0; i < shape->rank; i++) ReplyWithLongLong(ctx, shape->dims[i]);
    }
    if (blob) {
        if (meta) ReplyWithStringBuffer(ctx, "blob", 4);
        ReplyWithStringBuffer(ctx, data, length);
    }
    if (values) {
        if (meta) ReplyWithStringBuffer(ctx, "values", 6);
        ReplyWithArray(ctx, (long)shape->count);
        for (uint64_t i = 0; i < shape->count; i++) reply_element(ctx, shape->type, &data);
    }
}

/* AI.TENSORGET key [META] [BLOB | VALUES]   -> [dtype name shape dimensions] [blob data | values elements]; META BLOB if bare. */
static int tensor_get(Context *ctx, String **argv, int argc) {
    if (argc < 2 || argc > 4) return WrongArity(ctx);
    Key *key = OpenKey(ctx, argv[1], READ);
    if (KeyType(key) == EMPTY_KEY) {
        CloseKey(key);
        return ReplyWithError(ctx, "ERR tensor key is empty or in a different shard");
    }
    Shape shape;
    size_t length = 0;
    const char *data = KeyType(key) == STRING_KEY ? StringDMA(key, &length, READ) : "";
    const char *error = NULL;
    if (!read_trailer(data, &length, &shape)) error = "WRONGTYPE Operation against a key holding the wrong kind of value";

    int meta = argc == 2, blob = argc == 2, values = 0;
    for (int i = 2; i < argc && !error; i++) {
        if (is(argv[i], "META")) meta = 1;
        else if (is(argv[i], "BLOB")) blob = 1;
        else if (is(argv[i], "VALUES")) values = 1;
        else error = "ERR unsupported data format";
    }
    if (!error && blob && values) error = "ERR both BLOB and VALUES specified";

    if (error) ReplyWithError(ctx, error);
    else reply_tensor(ctx, &shape, data, length, meta, blob, values);
    CloseKey(key);
    return OK;
}

/* ---- What is for a worker ------------------------------------------------------------------------------------------------ */

/* Any AI command that needs a framework. */
static int no_worker(Context *ctx, String **argv, int argc) {
    (void)argc;
    char error[128];
    snprintf(error, sizeof error, "ERR %.30s: no inference worker serves this database; tensors are stored without one",
             StringPtrLen(argv[0], NULL));
    return ReplyWithError(ctx, error);
}

/* AI.CONFIG GET MODEL_CHUNK_SIZE   -> bytes. SmartRedis asks before it stores a model, which is what then fails, by name. */
static int config(Context *ctx, String **argv, int argc) {
    if (argc == 3 && is(argv[1], "GET") && is(argv[2], "MODEL_CHUNK_SIZE")) return ReplyWithLongLong(ctx, 511 << 20);
    return no_worker(ctx, argv, argc);
}

/* ---- The table of commands ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    Command *command;
    const char *flags;
    int key; /* where the key is that says which shard answers, 0 without any; models, scripts and DAGs name more, for workers */
} COMMANDS[] = {
    {"AI.TENSORSET", tensor_set, "write deny-oom", 1},
    {"AI.TENSORGET", tensor_get, "readonly", 1},
    {"AI.CONFIG", config, "readonly", 0},
    {"AI.INFO", no_worker, "readonly", 1},
    {"AI.MODELSTORE", no_worker, "write deny-oom", 1},
    {"AI.MODELSET", no_worker, "write deny-oom", 1},
    {"AI.MODELGET", no_worker, "readonly", 1},
    {"AI.MODELDEL", no_worker, "write", 1},
    {"AI.MODELEXECUTE", no_worker, "write deny-oom", 1},
    {"AI.MODELRUN", no_worker, "write deny-oom", 1},
    {"AI._MODELSCAN", no_worker, "readonly", 0},
    {"AI.SCRIPTSTORE", no_worker, "write deny-oom", 1},
    {"AI.SCRIPTSET", no_worker, "write deny-oom", 1},
    {"AI.SCRIPTGET", no_worker, "readonly", 1},
    {"AI.SCRIPTDEL", no_worker, "write", 1},
    {"AI.SCRIPTEXECUTE", no_worker, "write deny-oom", 1},
    {"AI.SCRIPTRUN", no_worker, "write deny-oom", 1},
    {"AI._SCRIPTSCAN", no_worker, "readonly", 0},
    {"AI.DAGEXECUTE", no_worker, "write deny-oom", 0},
    {"AI.DAGEXECUTE_RO", no_worker, "readonly", 0},
    {"AI.DAGRUN", no_worker, "write deny-oom", 0},
    {"AI.DAGRUN_RO", no_worker, "readonly", 0},
};

/* What the server calls when it loads the module. */
int RedisModule_OnLoad(Context *ctx, String **argv, int argc);
int RedisModule_OnLoad(Context *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
#define FETCH(result, name, ...) \
    if (ctx->get_api("RedisModule_" #name, (void *)&name) != OK) return ERR;
    SERVER(FETCH)
    SetModuleAttribs(ctx, "ai", 1, API_VERSION);
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        int key = COMMANDS[i].key;
        if (CreateCommand(ctx, COMMANDS[i].name, COMMANDS[i].command, COMMANDS[i].flags, key, key, key) != OK) return ERR;
    }
    if (!RegisterCommandFilter(ctx, rewrite, 0)) return ERR;
    /* glibc's malloc gives memory back to the system, and asks for it again at once, until it has seen a large block freed; then
     * it keeps more. A string that grows by a trailer would keep it at that for ever: 1 MiB in 4 to 7 times the time of SET. So
     * let it see a block of the size where it stops learning. It costs no memory, since nobody writes into it, and nothing at all
     * where the server has an allocator of its own. */
    void *volatile block = malloc(((size_t)32 << 20) - ((size_t)64 << 10));
    free(block);
    return OK;
}
