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
 * Every other AI command needs a machine-learning framework, which has no business in the process that holds the data: a model
 * may crash, hang, or eat all memory. So a command becomes a request. Its client is blocked, `enqueue` keeps the command and
 * what its keys hold now, and the request waits in a queue for a worker: a process, on this host or another, with its own
 * connection.
 *
 *     AI._NEXT ...     a worker asks for requests, and waits while there are none; `tell` says what it gets
 *     AI._DONE ...     it answers one: the reply, the keys to write, what to count; `answer` says how; or it says how long
 *                      it may be silent now: `promise`
 *     AI._SHARED       where it finds large inputs, if it is on this host
 *
 * A worker need not come twice to answer a request and to ask for the next: an AI._NEXT may end in an answer. Then a request
 * is one command and one reply.
 *
 * A request is in the queue or with one worker. Each way out of there ends in `release`, which unblocks the client. One is
 * `answer`; on the others its worker has gone (`client_changed`), no worker comes (`sweep`), or its client has (`vanished`).
 * A worker that has requests, and is silent for longer than it said, hangs where nobody sees it: `sweep` closes its connection.
 * A worker that goes with several requests has been ended by one of them. Each goes back to the queue, once, to be given
 * alone: so the one that did it fails, and the others are answered.
 *
 * Of a model, a request has the last bytes only, which name its version: who has not loaded it gets the key. A large tensor
 * is copied into the arena, a memory that has no name, and so is nobody's to delete: a worker of this host maps it, through
 * /proc, and what it computes with is the copy that was made when the command came. Each copy belongs to one request.
 *
 * A rule of an ACL does not see which setting a CONFIG SET is for. So our rules allow members none, and `rewrite` makes AI._CONFIGSET,
 * which they may send, of one that names nothing but what is HARMLESS. Whatever way a command comes, in another case, in a
 * transaction, from a script, under another name: what is not rewritten meets the rule.
 *
 * WHERE A READER WOULD BE HURT
 *
 * - `rewrite` sees the commands of all clients, before the server asks who they are. It must be quick, and take no more memory
 *   than the client has sent.
 * - `rewrite` decides nothing about rights: anybody can send AI._CONFIGSET himself, so that command looks at the names again.
 * - Anybody can SET a string that looks like a tensor. `read_trailer` trusts nothing, and nothing else reads a value.
 * - A client can name any shape. Sizes are multiplied with overflow checks, and bytes are only allocated for values that came,
 *   or up to LARGEST_ZEROS.
 * - Numbers in a value are not aligned: they are copied out, never pointed at.
 * - A worker may be wrong, or no worker at all. Its answer is read to its end before any of it is sent or written.
 * - Writes come after the command that asked for them, when its keys may have changed. `write_all` looks first at all.
 * - AI._NEXT and AI._DONE write, but are not flagged so: a server that refuses writes must still let clients have answers. They
 *   are flagged as what may be replicated, so that a server that is paused for a failover holds them back.
 *
 * No header of the server is needed. Its functions are asked for by name when the module is loaded; those in SERVER below are in
 * all versions since Redis 6.2. They are described at https://valkey.io/topics/modules-api-ref/ */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are stored as they lie in memory, which is little-endian");

/* ---- The server ---------------------------------------------------------------------------------------------------------- */

typedef struct Context { int (*get_api)(const char *name, void *function); } Context; /* its first field is all that we touch */
typedef struct String String;
typedef struct Key Key;
typedef struct Reply Reply;
typedef struct Filter Filter;
typedef struct Blocked Blocked;
typedef struct Cursor Cursor;
typedef struct Dict Dict;
typedef struct { uint64_t id, version; } Event;
typedef int Command(Context *, String **argv, int argc);

enum { OK = 0, ERR = 1, API_VERSION = 1, READ = 1, EMPTY_KEY = 0, STRING_KEY = 1, ERROR_REPLY = 1 };
enum { IN_SCRIPT = 1 << 0, IN_TRANSACTION = 1 << 1, READ_ONLY = 1 << 4, SHARDED = 1 << 5, MAY_NOT_BLOCK = 1 << 21 };
enum { CLIENT_CHANGE = 4, DISCONNECTED = 1, NOT_OUR_OWN = 1 };

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
    X(int, WrongArity, Context *) \
    X(int, ReplyWithSimpleString, Context *, const char *) \
    X(int, ReplyWithString, Context *, String *) \
    X(int, ReplyWithNull, Context *) \
    X(void, RetainString, Context *, String *) \
    X(size_t, ValueLength, Key *) \
    X(int, CallReplyType, Reply *) \
    X(Reply *, CallReplyArrayElement, Reply *, size_t) \
    X(const char *, CallReplyStringPtr, Reply *, size_t *length) \
    X(int, IsKeysPositionRequest, Context *) \
    X(void, KeyAtPos, Context *, int) \
    X(int, GetContextFlags, Context *) \
    X(int, GetSelectedDb, Context *) \
    X(unsigned long long, GetClientId, Context *) \
    X(Blocked *, BlockClient, Context *, Command *reply, Command *timeout, void (*)(Context *, void *), long long ms) \
    X(int, UnblockClient, Blocked *, void *) \
    X(void, SetDisconnectCallback, Blocked *, void (*)(Context *, Blocked *)) \
    X(Context *, GetThreadSafeContext, Blocked *) \
    X(void, FreeThreadSafeContext, Context *) \
    X(uint64_t, CreateTimer, Context *, long long milliseconds, void (*)(Context *, void *), void *) \
    X(int, SubscribeToServerEvent, Context *, Event, void (*)(Context *, Event, uint64_t, void *)) \
    X(Cursor *, ScanCursorCreate, void) \
    X(void, ScanCursorDestroy, Cursor *) \
    X(int, Scan, Context *, Cursor *, void (*)(Context *, String *, Key *, void *), void *) \
    X(Dict *, CreateDict, Context *) \
    X(void *, DictGet, Dict *, String *, int *absent) \
    X(int, DictSet, Dict *, String *, void *) \
    X(int, DictDel, Dict *, String *, void *old)

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
static void rewrite_tensor_set(Filter *command, String **argv, int argc) {
    if (argc < 5 || !is(argv[argc - 2], "BLOB")) return;
    const char *error;
    String *value = tensor_value(argv, argc, &error);
    if (!value) return;
    if (value != argv[argc - 1]) CommandFilterArgReplace(command, argc - 1, value);
    for (int i = argc - 2; i >= 2; i--) CommandFilterArgDelete(command, i);
    CommandFilterArgReplace(command, 0, CreateString(NULL, "SET", 3));
}

/* What any client may CONFIG SET: it says how long a script runs before others hear of it, what is told of keys, and how precisely
 * the server works. The rest may open the server, move its files or empty it, and sizes of small containers have let their
 * bytes overflow (CVE-2021-32687, CVE-2021-32628). */
static const char *const HARMLESS[] = {
    "lua-time-limit", "busy-reply-threshold", "notify-keyspace-events", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time",
    "active-expire-effort", "latency-tracking",
};

/* Whether these arguments are settings, each before its value, and none of them can hurt. */
static int harmless(String **settings, int count) {
    if (count == 0 || count % 2) return 0;
    for (int i = 0; i < count; i += 2) {
        size_t known = 0;
        while (known < sizeof HARMLESS / sizeof *HARMLESS && !is(settings[i], HARMLESS[known])) known++;
        if (known == sizeof HARMLESS / sizeof *HARMLESS) return 0;
    }
    return 1;
}

/* AI._CONFIGSET setting value [setting value ...]   -> OK. CONFIG SET, for those who may set what is harmless and nothing else. */
static int config_set(Context *ctx, String **argv, int argc) {
    if (argc < 3 || argc % 2 == 0) return WrongArity(ctx);
    if (!harmless(argv + 1, argc - 1)) return ReplyWithError(ctx, "NOPERM AI._CONFIGSET: only the owner may set that");
    Reply *reply = Call(ctx, "CONFIG", "cv", "SET", argv + 1, (size_t)argc - 1);
    if (!reply) return ReplyWithError(ctx, "ERR AI._CONFIGSET: the server has no CONFIG; is that command renamed?");
    ReplyWithCallReply(ctx, reply);
    FreeCallReply(reply);
    return OK;
}

/* Make AI._CONFIGSET of a CONFIG SET that can do no harm. */
static void rewrite_config_set(Filter *command, String **argv, int argc) {
    if (!is(argv[1], "SET") || !harmless(argv + 2, argc - 2)) return;
    CommandFilterArgDelete(command, 1);
    CommandFilterArgReplace(command, 0, CreateString(NULL, "AI._CONFIGSET", 13));
}

/* Make another command of one, before the server looks it up. */
static void rewrite(Filter *command) {
    int argc = CommandFilterArgsCount(command);
    if (argc < 4 || argc > MAX_RANK + 5) return;
    const String *name = CommandFilterArgGet(command, 0);
    int tensor = is(name, "AI.TENSORSET");
    if (!tensor && !is(name, "CONFIG")) return;
    String *argv[MAX_RANK + 5];
    for (int i = 0; i < argc; i++) argv[i] = CommandFilterArgGet(command, i);
    (tensor ? rewrite_tensor_set : rewrite_config_set)(command, argv, argc);
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

typedef struct { const char *name; size_t length; String *key; } Search;

/* Keep a key that ends in a dot and the name that is looked for: a member of an ensemble writes `member.name`. */
static void compare(Context *ctx, String *key, Key *value, void *data) {
    (void)value;
    Search *search = data;
    size_t length;
    const char *text = StringPtrLen(key, &length), *end = text + length - search->length;
    if (search->key || length < search->length + 2 || end[-1] != '.' || memcmp(end, search->name, search->length)) return;
    RetainString(ctx, search->key = key);
}

/* A key `member.name` where there is no key `name`, or NULL. It looks at a thousand keys at most, since a client may make the same
 * mistake all the time, and first by the prefix of a key that the same command writes. The caller frees it. */
static String *with_prefix(Context *ctx, String *name, String *written) {
    enum { KEYS = 1000 };
    Search search = {.key = NULL};
    search.name = StringPtrLen(name, &search.length);
    size_t length = 0;
    const char *prefix = written ? StringPtrLen(written, &length) : "";
    for (size_t i = 0; i < length && !search.key; i++) {
        if (prefix[i] != '.') continue;
        search.key = CreateString(NULL, prefix, i + 1);
        StringAppendBuffer(NULL, search.key, search.name, search.length);
        Key *key = OpenKey(ctx, search.key, READ);
        if (KeyType(key) == EMPTY_KEY) FreeString(NULL, search.key), search.key = NULL;
        CloseKey(key);
    }
    if (search.key) return search.key;
    Cursor *cursor = ScanCursorCreate();
    for (int i = 0; i < KEYS && !search.key && Scan(ctx, cursor, compare, &search); i++) {}
    ScanCursorDestroy(cursor);
    return search.key;
}

/* Reply that there is no such tensor, but one with a prefix. */
static int reply_no_tensor(Context *ctx, String *name) {
    enum { LONGEST = 200 };
    char error[LONGEST + 300] = "ERR tensor key is empty";
    if (GetContextFlags(ctx) & SHARDED) strcat(error, " or in a different shard");
    String *other = with_prefix(ctx, name, NULL);
    size_t length = 0, printable = 0;
    const char *text = other ? StringPtrLen(other, &length) : "";
    while (printable < length && text[printable] > ' ' && text[printable] < 127) printable++;
    if (length && length < LONGEST && printable == length) {
        size_t end = strlen(error);
        snprintf(error + end, sizeof error - end, "; there is %.*s, which a member wrote with its key prefix: "
                 "read it by set_data_source, or call disable_key_prefixing", (int)length, text);
    }
    if (other) FreeString(NULL, other);
    return ReplyWithError(ctx, error);
}

/* AI.TENSORGET key [META] [BLOB | VALUES]   -> [dtype name shape dimensions] [blob data | values elements]; META BLOB if bare. */
static int tensor_get(Context *ctx, String **argv, int argc) {
    if (argc < 2 || argc > 4) return WrongArity(ctx);
    Key *key = OpenKey(ctx, argv[1], READ);
    if (KeyType(key) == EMPTY_KEY) {
        CloseKey(key);
        return reply_no_tensor(ctx, argv[1]);
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

/* ---- What is for a worker: the commands, and the keys of each ------------------------------------------------------------ */

static Command config, enqueue, next, done, shared;

enum { READS = 1, WRITES = 2, SCANS = 4 }; /* what a command does with a key; who scans has no use for tensors */
enum { NO_LISTS, COUNTED, BARE };          /* how keys behind INPUTS and OUTPUTS end: by a number before, or the next word */
static const struct Entry {
    const char *name;
    Command *command;
    const char *flags;
    int key;    /* where the key is that says which shard answers, which is the model or script; 0: nowhere */
    int access; /* what a worker's command does with that key */
    int lists;
    int from; /* where the lists begin */
} COMMANDS[] = {
    {"AI.TENSORSET", tensor_set, "write deny-oom", 1, 0, NO_LISTS, 0},
    {"AI.TENSORGET", tensor_get, "readonly", 1, 0, NO_LISTS, 0},
    {"AI.CONFIG", config, "readonly", 0, 0, NO_LISTS, 0},
    {"AI._CONFIGSET", config_set, "allow-loading allow-stale deny-script", 0, 0, NO_LISTS, 0},
    {"AI.INFO", enqueue, "readonly", 1, READS, NO_LISTS, 0},
    {"AI.MODELSTORE", enqueue, "write deny-oom", 1, WRITES, NO_LISTS, 0},
    {"AI.MODELSET", enqueue, "write deny-oom", 1, WRITES, NO_LISTS, 0},
    {"AI.MODELGET", enqueue, "readonly", 1, READS, NO_LISTS, 0},
    {"AI.MODELDEL", enqueue, "write", 1, READS | WRITES, NO_LISTS, 0},
    {"AI.MODELEXECUTE", enqueue, "write deny-oom getkeys-api", 1, READS, COUNTED, 2},
    {"AI.MODELRUN", enqueue, "write deny-oom getkeys-api", 1, READS, BARE, 2},
    {"AI._MODELSCAN", enqueue, "readonly", 0, 0, NO_LISTS, 0},
    {"AI.SCRIPTSTORE", enqueue, "write deny-oom", 1, WRITES, NO_LISTS, 0},
    {"AI.SCRIPTSET", enqueue, "write deny-oom", 1, WRITES, NO_LISTS, 0},
    {"AI.SCRIPTGET", enqueue, "readonly", 1, READS, NO_LISTS, 0},
    {"AI.SCRIPTDEL", enqueue, "write", 1, READS | WRITES, NO_LISTS, 0},
    {"AI.SCRIPTEXECUTE", enqueue, "write deny-oom getkeys-api", 1, READS, COUNTED, 3},
    {"AI.SCRIPTRUN", enqueue, "write deny-oom getkeys-api", 1, READS, BARE, 3},
    {"AI._SCRIPTSCAN", enqueue, "readonly", 0, 0, NO_LISTS, 0},
    {"AI.DAGEXECUTE", enqueue, "write deny-oom", 0, 0, NO_LISTS, 0}, /* a worker knows what to say of DAGs */
    {"AI.DAGEXECUTE_RO", enqueue, "readonly", 0, 0, NO_LISTS, 0},
    {"AI.DAGRUN", enqueue, "write deny-oom", 0, 0, NO_LISTS, 0},
    {"AI.DAGRUN_RO", enqueue, "readonly", 0, 0, NO_LISTS, 0},
    {"AI._NEXT", next, "may-replicate deny-script", 0, 0, NO_LISTS, 0},
    {"AI._DONE", done, "may-replicate deny-script", 0, 0, NO_LISTS, 0},
    {"AI._SHARED", shared, "deny-script", 0, 0, NO_LISTS, 0},
};

typedef void Visit(Context *, void *data, String *key, int position, int access);

/* Visit each key of a command. Of one that is wrong these are the keys up to the mistake, of which a worker tells. */
static void each_key(Context *ctx, const struct Entry *entry, String **argv, int argc, Visit *visit, void *data) {
    if (entry->key && entry->key < argc) visit(ctx, data, argv[entry->key], entry->key, entry->access);
    int access = 0, lists = 0;
    for (int i = entry->from; entry->lists && i < argc; i++) {
        int inputs = is(argv[i], "INPUTS"), outputs = is(argv[i], "OUTPUTS"), counted = entry->lists == COUNTED;
        long long count = !counted && lists;
        if (is(argv[i], "TIMEOUT")) {
            i++;
        } else if (inputs || outputs || (counted && (is(argv[i], "KEYS") || is(argv[i], "ARGS")))) {
            lists = 1, access = inputs ? READS : outputs ? WRITES : 0;
            count = 0;
            if (counted && (++i == argc || StringToLongLong(argv[i], &count) != OK)) return;
            int keys = access || (counted && is(argv[i - 1], "KEYS"));
            for (; count > 0 && i + 1 < argc; count--) {
                i++;
                if (keys) visit(ctx, data, argv[i], i, access);
            }
        } else if (count && !is(argv[i], "$")) {
            visit(ctx, data, argv[i], i, access);
        }
    }
}

static void tell_position(Context *ctx, void *data, String *key, int position, int access) {
    (void)data, (void)key, (void)access;
    KeyAtPos(ctx, position);
}

/* ---- Memory that workers of this host share ------------------------------------------------------------------------------ */

enum { TOKEN_SIZE = 16, ALIGNMENT = 64, SHARED_FROM = 16 << 10 };
enum { CLOSE_ON_EXEC = 1, MAY_BE_SEALED = 2 };           /* MFD_CLOEXEC, MFD_ALLOW_SEALING */
enum { ADD_SEALS = 1033, NO_SHRINKING = 2, NO_GROWING = 4 }; /* F_ADD_SEALS, F_SEAL_SHRINK, F_SEAL_GROW */

typedef struct Block {
    struct Block *next;
    size_t at, size;
} Block;

static struct {
    char *memory; /* it begins with a token, by which a worker knows that it has found the right one */
    size_t size;
    int file;
    Block *first; /* in the order of their places */
} arena;

/* Get the memory; without it, all travels through the connection. The C library of a system from 2014, on which the wheel runs too,
 * does not have all of these calls: the kernel has numbers. */
static void open_arena(void) {
    if (!arena.size) return;
    arena.file = (int)syscall(SYS_memfd_create, "smartensemble", CLOSE_ON_EXEC | MAY_BE_SEALED);
    char *memory = MAP_FAILED;
    if (arena.file >= 0 && ftruncate(arena.file, (off_t)arena.size) == 0) {
        syscall(SYS_fcntl, arena.file, ADD_SEALS, NO_SHRINKING | NO_GROWING); /* who cut it off would end this process */
        memory = mmap(NULL, arena.size, PROT_READ | PROT_WRITE, MAP_SHARED, arena.file, 0);
    }
    if (memory == MAP_FAILED || syscall(SYS_getrandom, memory, TOKEN_SIZE, 0) != TOKEN_SIZE) arena.size = 0;
    else arena.memory = memory;
}

/* The first place that is large enough, or NULL. */
static Block *place(size_t size) {
    size_t at = ALIGNMENT;
    Block **link = &arena.first;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    for (; *link && (*link)->at - at < size; link = &(*link)->next) at = (*link)->at + (*link)->size;
    if (arena.size < at || arena.size - at < size) return NULL;
    Block *block = malloc(sizeof *block);
    if (!block) return NULL;
    *block = (Block){*link, at, size};
    return *link = block;
}

static void give_back(Block *block) {
    if (!block) return;
    Block **link = &arena.first;
    while (*link != block) link = &(*link)->next;
    *link = block->next;
    free(block);
}

/* AI._SHARED   -> process, file, bytes, token: where a worker finds the arena, or nothing if there is none. */
static int shared(Context *ctx, String **argv, int argc) {
    (void)argv;
    if (argc != 1) return WrongArity(ctx);
    if (!arena.size) return ReplyWithArray(ctx, 0);
    ReplyWithArray(ctx, 4);
    ReplyWithLongLong(ctx, getpid());
    ReplyWithLongLong(ctx, arena.file);
    ReplyWithLongLong(ctx, (long long)arena.size);
    return ReplyWithStringBuffer(ctx, arena.memory, TOKEN_SIZE);
}

/* ---- Jobs ---------------------------------------------------------------------------------------------------------------- */

typedef struct {
    String *key;
    int access, there;
    char magic[MAGIC_SIZE]; /* the end of a string */
    String *copy;           /* of a tensor, or of the trailer of a model or script; or of a large tensor ... */
    Block *block;           /* ... here */
    size_t length;
} Held;

typedef struct Request {
    struct Request *next;
    long long id, came; /* in microseconds */
    Blocked *client;    /* NULL if it has gone */
    String **argv;
    int argc;
    Held *held;
    size_t held_count, bytes;
    int once;  /* it is not given twice: it writes models, or its inputs are where a worker may have written */
    int alone; /* its last worker has gone, and had others too */
} Request;

typedef struct Worker {
    struct Worker *next;
    unsigned long long id;
    Blocked *waits; /* for requests; NULL if it does not */
    long long count, shares;
    long long heard, limit; /* when it last said something, and the milliseconds that it may be silent with requests; 0: any */
    int loads, hung;        /* it loads a model, and runs none; it was silent for longer */
    Request *requests;
} Worker;

typedef struct { uint64_t calls, samples, duration, errors; } Statistics; /* may be added to for ever */

static struct { Request *first, **last; long long length; } queue = {.last = &queue.first};
static Worker *workers;
static Dict *statistics; /* by the key of the model or script */
static size_t bytes_held;
static long long chunk_size = 511 << 20, last_id, deserted; /* since when there is no worker */
static int watched;                                         /* a timer runs */

/* What may be said when the module is loaded, as a name and a number behind its file. */
static struct { const char *name; long long value; } options[] = {
    {"QUEUE_LIMIT", 10000},              /* requests that wait */
    {"QUEUE_MEMORY", 1LL << 30},         /* bytes of the inputs of all requests */
    {"WORKER_TIMEOUT", 30000},           /* milliseconds that a request waits if there is no worker */
    {"SHARED_MEMORY", 128LL << 20},      /* bytes of the arena */
    {"WORKER_GRACE", 5000},              /* milliseconds that a worker may be silent for longer than it said */
};
enum { QUEUE_LIMIT, QUEUE_MEMORY, WORKER_TIMEOUT, SHARED_MEMORY, WORKER_GRACE, OPTIONS };

static int read_options(String **argv, int argc) {
    for (int i = 0; i < argc; i += 2) {
        int known = 0;
        for (int o = 0; o < OPTIONS && i + 1 < argc; o++) {
            if (!is(argv[i], options[o].name)) continue;
            known = StringToLongLong(argv[i + 1], &options[o].value) == OK && options[o].value >= 0;
        }
        if (!known) return 0;
    }
    arena.size = (size_t)options[SHARED_MEMORY].value;
    return 1;
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

/* Let go of what a request has brought, when nobody needs it any more; not of shared memory, which a worker may read now. */
static void lighten(Request *request) {
    while (request->argc > 2) FreeString(NULL, request->argv[--request->argc]);
    for (size_t i = 0; i < request->held_count; i++) {
        if (request->held[i].copy) FreeString(NULL, request->held[i].copy);
        request->held[i].copy = NULL;
    }
}

/* Let a client go on, and forget its request. */
static void release(Request *request) {
    if (request->client) UnblockClient(request->client, NULL);
    lighten(request);
    while (request->argc) FreeString(NULL, request->argv[--request->argc]);
    for (size_t i = 0; i < request->held_count; i++) {
        give_back(request->held[i].block);
        FreeString(NULL, request->held[i].key);
    }
    bytes_held -= request->bytes;
    free(request->held);
    free(request->argv);
    free(request);
}

/* Answer a request by an error. */
static void fail(Request *request, const char *error) {
    if (request->client) {
        Context *client = GetThreadSafeContext(request->client);
        ReplyWithError(client, error);
        FreeThreadSafeContext(client);
    }
    release(request);
}

/* Take the oldest request out of the queue. */
static Request *pop(void) {
    Request *request = queue.first;
    if (!(queue.first = request->next)) queue.last = &queue.first;
    queue.length--;
    return request;
}

/* Put a request back to where it was. */
static void put_back(Request *request) {
    request->alone = 1;
    if (!(request->next = queue.first)) queue.last = &request->next;
    queue.first = request;
    queue.length++;
}

static int ends_in(const Held *held, const char *magic) {
    return memcmp(held->magic, magic, MAGIC_SIZE) == 0;
}

/* Keep what a key holds: tensors whole, the trailer of a model or script, and of all else that it is there. */
static void hold(Context *ctx, void *data, String *name, int position, int access) {
    (void)position;
    Request *request = data;
    if (!(request->held_count & (request->held_count + 1))) { /* it is full: 0, 1, 3, 7 ... */
        Held *more = realloc(request->held, (2 * request->held_count + 1) * sizeof *more);
        if (!more) return;
        request->held = more;
    }
    RetainString(NULL, name);
    Key *key = OpenKey(ctx, name, READ);
    Held *held = &request->held[request->held_count++];
    *held = (Held){.key = name, .access = access, .there = KeyType(key) != EMPTY_KEY};
    const char *value = KeyType(key) == STRING_KEY ? StringDMA(key, &held->length, READ) : NULL;
    if (value && held->length >= MAGIC_SIZE) memcpy(held->magic, value + held->length - MAGIC_SIZE, MAGIC_SIZE);
    if (access & READS && ends_in(held, MAGIC)) {
        if (held->length >= SHARED_FROM && (held->block = place(held->length))) {
            memcpy(arena.memory + held->block->at, value, held->length);
        } else {
            held->copy = CreateString(NULL, value, held->length);
        }
        request->bytes += held->length;
    } else if (access & (READS | SCANS) && (ends_in(held, "MODEL_") || ends_in(held, "SCRIPT"))) {
        uint32_t end = 0; /* the length of the trailer, which is before the magic */
        if (held->length >= sizeof end + MAGIC_SIZE) memcpy(&end, value + held->length - MAGIC_SIZE - sizeof end, sizeof end);
        if (end && end <= held->length) held->copy = CreateString(NULL, value + held->length - end, end);
    }
    CloseKey(key);
}

/* Where an input is not there, keep the name of one with the prefix of a member, of which a worker tells. */
static void hold_similar(Context *ctx, Request *request) {
    String *written = NULL;
    size_t count = request->held_count;
    for (size_t i = 0; i < count; i++) {
        if (request->held[i].access == WRITES) written = request->held[i].key;
    }
    for (size_t i = 1; i < count; i++) { /* the first one is the model or script */
        if (request->held[i].there || request->held[i].access != READS) continue;
        String *similar = with_prefix(ctx, request->held[i].key, written);
        if (!similar) continue;
        hold(ctx, request, similar, 0, SCANS);
        FreeString(NULL, similar); /* which `hold` has kept for itself */
        return;
    }
}

typedef struct { String *name[1024]; int count; } Names;

/* Keep the name of what may be a model or script. A look at a short string would change its form in memory, amid a scan. */
static void collect(Context *ctx, String *name, Key *key, void *data) {
    Names *names = data;
    enum { SHORTEST = 78 }; /* bytes of a model or script, all of whose options are empty */
    if (names->count == sizeof names->name / sizeof *names->name) return;
    if (key && (KeyType(key) != STRING_KEY || ValueLength(key) < SHORTEST)) return;
    RetainString(ctx, name);
    names->name[names->count++] = name;
}

/* Keep the trailers of all models, or of all scripts. */
static void hold_all(Context *ctx, Request *request, const char *magic) {
    Cursor *cursor = ScanCursorCreate();
    for (int more = 1; more;) {
        Names names = {.count = 0};
        more = Scan(ctx, cursor, collect, &names);
        for (int i = 0; i < names.count; i++) {
            size_t count = request->held_count;
            hold(ctx, request, names.name[i], 0, SCANS);
            FreeString(NULL, names.name[i]); /* which `hold` has kept for itself */
            if (count == request->held_count || ends_in(&request->held[count], magic)) continue;
            if (request->held[count].copy) FreeString(NULL, request->held[count].copy);
            FreeString(NULL, request->held[--request->held_count].key);
        }
    }
    ScanCursorDestroy(cursor);
}

/* ---- From a client to a worker ------------------------------------------------------------------------------------------- */

/* Tell a worker of a request: id, microseconds it has waited, command, keys that it reads with what they hold, keys that it
 * writes with their magic, statistics, chunk size. What is held is a string, a place in shared memory and a length, or nil: no
 * tensor, model or script. Keys that are not there are left out. */
static void tell(Context *ctx, const Request *request, int shares) {
    long read = 0, written = 0;
    for (size_t i = 0; i < request->held_count; i++) {
        read += request->held[i].there && request->held[i].access & (READS | SCANS);
        written += request->held[i].there && request->held[i].access & WRITES;
    }
    ReplyWithArray(ctx, 7);
    ReplyWithLongLong(ctx, request->id);
    ReplyWithLongLong(ctx, now() - request->came);
    ReplyWithArray(ctx, request->argc);
    for (int i = 0; i < request->argc; i++) ReplyWithString(ctx, request->argv[i]);
    ReplyWithArray(ctx, 2 * read);
    for (size_t i = 0; i < request->held_count; i++) {
        const Held *held = &request->held[i];
        if (!held->there || !(held->access & (READS | SCANS))) continue;
        ReplyWithString(ctx, held->key);
        if (held->copy) {
            ReplyWithString(ctx, held->copy);
        } else if (held->block && shares) {
            ReplyWithArray(ctx, 2);
            ReplyWithLongLong(ctx, (long long)held->block->at);
            ReplyWithLongLong(ctx, (long long)held->length);
        } else if (held->block) {
            ReplyWithStringBuffer(ctx, arena.memory + held->block->at, held->length);
        } else {
            ReplyWithNull(ctx);
        }
    }
    ReplyWithArray(ctx, 2 * written);
    for (size_t i = 0; i < request->held_count; i++) {
        if (!request->held[i].there || !(request->held[i].access & WRITES)) continue;
        ReplyWithString(ctx, request->held[i].key);
        ReplyWithStringBuffer(ctx, request->held[i].magic, MAGIC_SIZE);
    }
    int asks = is(request->argv[0], "AI.INFO") && request->argc > 1;
    const Statistics *known = asks ? DictGet(statistics, request->argv[1], NULL) : NULL;
    ReplyWithArray(ctx, known ? 4 : 0);
    if (known) {
        ReplyWithLongLong(ctx, (long long)known->calls);
        ReplyWithLongLong(ctx, (long long)known->samples);
        ReplyWithLongLong(ctx, (long long)known->duration);
        ReplyWithLongLong(ctx, (long long)known->errors);
    }
    ReplyWithLongLong(ctx, chunk_size);
}

/* Give a worker as many requests as it asks for, but leave as many to each of the others, and what goes alone to go alone. */
static void give(Context *ctx, Worker *worker) {
    long long most = 0, count = 0;
    for (const Worker *each = workers; each; each = each->next) most++;
    most = (queue.length + most - 1) / most;
    if (most > worker->count) most = worker->count;
    for (const Request *request = queue.first; count < most && !(count && request->alone); request = request->next) {
        count++;
        if (request->alone) break;
    }
    ReplyWithArray(ctx, (long)count);
    for (; count; count--) {
        Request *request = pop();
        tell(ctx, request, worker->shares != 0);
        for (size_t i = 0; worker->shares && i < request->held_count; i++) request->once |= request->held[i].block != NULL;
        if (request->once || request->alone) lighten(request);
        request->next = worker->requests;
        worker->requests = request;
    }
    worker->heard = now();
}

/* Give requests to workers that wait for some. */
static void serve_waiting(void) {
    for (Worker *worker = workers; worker && queue.length; worker = worker->next) {
        if (!worker->waits) continue;
        Context *client = GetThreadSafeContext(worker->waits);
        give(client, worker);
        FreeThreadSafeContext(client);
        UnblockClient(worker->waits, NULL);
        worker->waits = NULL;
    }
}

/* A setting of the server: its first word, or nothing. */
static void setting(Context *ctx, const char *name, char *word, size_t size) {
    size_t length = 0;
    Reply *reply = Call(ctx, "CONFIG", "cc", "GET", name);
    Reply *value = reply ? CallReplyArrayElement(reply, 1) : NULL;
    const char *text = value ? CallReplyStringPtr(value, &length) : NULL;
    const char *end = text ? memchr(text, ' ', length) : NULL;
    snprintf(word, size, "%.*s", (int)(end ? end - text : text ? (long)length : 0), text ? text : "");
    if (reply) FreeCallReply(reply);
}

/* Fail a request that nobody has come for, and say how to start a worker here. */
static void fail_unserved(Context *ctx, Request *request) {
    char path[256], host[64], port[16], error[640];
    setting(ctx, "unixsocket", path, sizeof path);
    setting(ctx, "bind", host, sizeof host);
    setting(ctx, "port", port, sizeof port);
    const char *any = strpbrk(host, "*-:") || !*host || strcmp(host, "0.0.0.0") == 0 ? "localhost" : host;
    int length = snprintf(error, sizeof error, "ERR no inference worker has come for this command in %lld ms; ",
                          options[WORKER_TIMEOUT].value);
    const char *start = "start one by: REDISCLI_AUTH=PASSWORD python -m smartensemble.inference --address";
    const char *login = "USER and PASSWORD are in smartensemble_owner.json";
    if (*path) snprintf(error + length, sizeof error - (size_t)length, "%s unix://USER@%s; %s", start, path, login);
    else snprintf(error + length, sizeof error - (size_t)length, "%s redis://USER@%s:%s; %s", start, any, port, login);
    fail(request, error);
}

/* Close the connection of each worker that has requests, and is silent for longer than it said. On its host it would have been
 * ended by then: so the host is gone, or the memory of the worker is on a disk, or both of its processes have been stopped. */
static void drop_hung(Context *ctx) {
    for (Worker *worker = workers; worker;) {
        long long until = worker->heard / 1000 + worker->limit + options[WORKER_GRACE].value;
        if (worker->hung || !worker->requests || !worker->limit || now() / 1000 < until) {
            worker = worker->next;
            continue;
        }
        worker->hung = 1;
        Reply *reply = Call(ctx, "CLIENT", "ccl", "KILL", "ID", (long long)worker->id);
        if (reply) FreeCallReply(reply);
        worker = workers; /* which `client_changed` has changed */
    }
}

static int requests_out(void) {
    const Worker *worker = workers;
    while (worker && !worker->requests) worker = worker->next;
    return worker != NULL;
}

/* Fail the requests that nobody has come for, and those of workers that hang; come again as long as there are any. */
static void sweep(Context *ctx, void *data) {
    (void)data;
    enum { LOOK_EVERY = 1000 };
    long long rest = LOOK_EVERY;
    watched = 1;
    drop_hung(ctx);
    while (!workers && queue.first) {
        long long since = queue.first->came > deserted ? queue.first->came : deserted;
        if ((rest = since / 1000 + options[WORKER_TIMEOUT].value - now() / 1000) > 0) break;
        fail_unserved(ctx, pop());
    }
    watched = queue.first || requests_out();
    if (watched) CreateTimer(ctx, rest, sweep, NULL);
}

/* A client has gone while it was blocked: it gets nothing any more; if its request is still in the queue, nobody does it. */
static void vanished(Context *ctx, Blocked *client) {
    (void)ctx;
    for (Request **link = &queue.first; *link; link = &(*link)->next) {
        Request *request = *link;
        if (request->client != client) continue;
        if (!(*link = request->next)) queue.last = link;
        queue.length--;
        release(request);
        return;
    }
    for (Worker *worker = workers; worker; worker = worker->next) {
        for (Request *request = worker->requests; request; request = request->next) {
            if (request->client != client) continue;
            UnblockClient(client, NULL);
            request->client = NULL;
            return;
        }
    }
}

/* Any AI command that needs a framework: it becomes a request, and its client waits. */
static int enqueue(Context *ctx, String **argv, int argc) {
    const struct Entry *entry = COMMANDS;
    const struct Entry *end = COMMANDS + sizeof COMMANDS / sizeof *COMMANDS;
    while (entry < end && !is(argv[0], entry->name)) entry++;
    if (entry == end) return ReplyWithError(ctx, "ERR AI: workers know this command by another name; undo rename-command");
    if (IsKeysPositionRequest(ctx)) {
        each_key(ctx, entry, argv, argc, tell_position, NULL);
        return OK;
    }
    if (GetContextFlags(ctx) & (IN_SCRIPT | IN_TRANSACTION | MAY_NOT_BLOCK)) {
        return ReplyWithError(ctx, "ERR Cannot run RedisAI command within a transaction or a LUA script");
    }
    if (GetSelectedDb(ctx)) return ReplyWithError(ctx, "ERR AI: models and scripts are in database 0; SELECT 0");
    char error[160];
    int full = queue.length >= options[QUEUE_LIMIT].value, large = bytes_held >= (size_t)options[QUEUE_MEMORY].value;
    if (full || large) {
        int limit = full ? QUEUE_LIMIT : QUEUE_MEMORY;
        const char *format = "ERR the queue for inference workers is full: %s is %lld; try again, or start more workers";
        snprintf(error, sizeof error, format, options[limit].name, options[limit].value);
        return ReplyWithError(ctx, error);
    }
    Request *request = calloc(1, sizeof *request);
    if (request) request->argv = malloc((size_t)argc * sizeof *argv);
    if (!request || !request->argv) return free(request), ReplyWithError(ctx, "OOM no memory for this command");
    request->id = ++last_id;
    request->came = now();
    request->once = (entry->access & WRITES) != 0;
    for (; request->argc < argc; request->argc++) {
        RetainString(NULL, argv[request->argc]);
        request->argv[request->argc] = argv[request->argc];
    }
    if (is(argv[0], "AI._MODELSCAN")) hold_all(ctx, request, "MODEL_");
    else if (is(argv[0], "AI._SCRIPTSCAN")) hold_all(ctx, request, "SCRIPT");
    else each_key(ctx, entry, argv, argc, hold, request);
    if (entry->lists) hold_similar(ctx, request);
    bytes_held += request->bytes;
    request->client = BlockClient(ctx, NULL, NULL, NULL, 0);
    SetDisconnectCallback(request->client, vanished);
    *queue.last = request;
    queue.last = &request->next;
    queue.length++;

    serve_waiting();
    if (!watched) sweep(ctx, NULL);
    return OK;
}

/* AI.CONFIG GET MODEL_CHUNK_SIZE   -> bytes. SmartRedis asks before it stores a model. All else is for a worker. */
static int config(Context *ctx, String **argv, int argc) {
    if (argc == 3 && is(argv[1], "GET") && is(argv[2], "MODEL_CHUNK_SIZE")) return ReplyWithLongLong(ctx, chunk_size);
    return enqueue(ctx, argv, argc);
}

/* ---- From a worker to a client ------------------------------------------------------------------------------------------- */

/* Send a reply that begins at an argument, or without a context only read it; where it ends, or 0 if it is wrong. "+text" and
 * "-text" are a status and an error, ":n" an integer, "_" nil, "$" stands before a string, and "*n" before n replies. */
static int reply(Context *ctx, String **argv, int argc, int at, int depth) {
    enum { MAX_DEPTH = 8 };
    size_t length;
    long long number = 0;
    if (at >= argc || depth > MAX_DEPTH) return 0;
    const char *token = StringPtrLen(argv[at++], &length);
    char kind = length ? *token : 0;
    if (kind == '+' || kind == '-') {
        if (strlen(token) != length || strpbrk(token, "\r\n")) return 0;
        if (ctx) (kind == '+' ? ReplyWithSimpleString : ReplyWithError)(ctx, token + 1);
        return at;
    }
    if (kind == ':' || kind == '*') {
        char *end;
        number = strtoll(token + 1, &end, 10);
        if (length == 1 || end != token + length) return 0;
    }
    if (kind == ':') {
        if (ctx) ReplyWithLongLong(ctx, number);
        return at;
    }
    if (kind == '_' && length == 1) {
        if (ctx) ReplyWithNull(ctx);
        return at;
    }
    if (kind == '$' && length == 1) {
        if (at == argc) return 0;
        if (ctx) ReplyWithString(ctx, argv[at]);
        return at + 1;
    }
    if (kind != '*' || number < 0 || number > argc - at) return 0;
    if (ctx) ReplyWithArray(ctx, (long)number);
    for (; number && at; number--) at = reply(ctx, argv, argc, at, depth + 1);
    return at;
}

/* Write keys, each with its value; one that is nothing but a magic deletes what ends in it. What is wrong, or NULL. A key that
 * holds something else is found before anything is written. */
static const char *write_all(Context *ctx, String **pairs, long long count) {
    for (long long i = 0; i < count; i++) {
        size_t length, held = 0;
        const char *value = StringPtrLen(pairs[2 * i + 1], &length);
        if (length < MAGIC_SIZE) return "ERR the inference worker gave a value that is none";
        Key *key = OpenKey(ctx, pairs[2 * i], READ);
        int there = KeyType(key) != EMPTY_KEY, same = 0;
        if (KeyType(key) == STRING_KEY && ValueLength(key) >= TAIL_SIZE) {
            const char *now = StringDMA(key, &held, READ);
            same = memcmp(now + held - MAGIC_SIZE, value + length - MAGIC_SIZE, MAGIC_SIZE) == 0;
        }
        CloseKey(key);
        if (there && !same) return "WRONGTYPE Operation against a key holding the wrong kind of value";
    }
    if (count && GetContextFlags(ctx) & READ_ONLY) return "READONLY You can't write against a read only replica.";
    for (long long i = 0; i < count; i++) {
        size_t length;
        StringPtrLen(pairs[2 * i + 1], &length);
        Reply *written = length == MAGIC_SIZE ? Call(ctx, "DEL", "!s", pairs[2 * i])
                                              : Call(ctx, "SET", "!ss", pairs[2 * i], pairs[2 * i + 1]);
        int failed = !written || CallReplyType(written) == ERROR_REPLY;
        if (written) FreeCallReply(written);
        if (failed) return "ERR the key of a result cannot be written; has its slot been moved to another shard?";
    }
    return NULL;
}

/* Add to what is known of a model or script. */
static void count(String *key, const long long more[4], int anew) {
    Statistics *known = DictGet(statistics, key, NULL);
    if (known && anew) {
        DictDel(statistics, key, NULL);
        free(known);
        known = NULL;
    }
    if (!more[0] && !more[3]) return;
    if (!known) {
        if (!(known = calloc(1, sizeof *known))) return;
        DictSet(statistics, key, known);
    }
    known->calls += (uint64_t)more[0];
    known->samples += (uint64_t)more[1];
    known->duration += (uint64_t)more[2];
    known->errors += (uint64_t)more[3];
}

/* The worker that this client is, or NULL. */
static Worker *this_worker(Context *ctx) {
    Worker *worker = workers;
    while (worker && worker->id != GetClientId(ctx)) worker = worker->next;
    return worker;
}

/* The same, for a client that is a worker from now on; NULL without memory. */
static Worker *new_worker(Context *ctx) {
    Worker *worker = this_worker(ctx);
    if (worker || !(worker = calloc(1, sizeof *worker))) return worker;
    worker->id = GetClientId(ctx);
    worker->next = workers;
    return workers = worker;
}

/* Answer a request of this worker's: id calls samples duration errors reset chunk-size writes [key value ...] reply. A chunk
 * size of 0 is no new one. What is wrong with it, or NULL; a client whose answer is wrong gets an error. */
static const char *answer(Context *ctx, String **argv, int argc) {
    enum { ID, CALLS, ERRORS = 4, RESET, CHUNK_SIZE, COUNT, NUMBERS };
    long long number[NUMBERS];
    for (int i = 0; i < NUMBERS; i++) {
        if (i >= argc || StringToLongLong(argv[i], &number[i]) != OK) return "ERR an answer begins with 8 integers";
    }
    Worker *worker = this_worker(ctx);
    if (!worker) return "ERR this client has no requests; ask for them by AI._NEXT";
    worker->heard = now();
    Request **link = &worker->requests, *request;
    while (*link && (*link)->id != number[ID]) link = &(*link)->next;
    if (!(request = *link)) return "ERR this client has no such request; has it been answered?";
    *link = request->next;

    long long writes = number[COUNT];
    int at = writes >= 0 && writes <= (argc - NUMBERS) / 2 ? NUMBERS + 2 * (int)writes : argc;
    if (reply(NULL, argv, argc, at, 0) != argc || number[CHUNK_SIZE] < 0) {
        fail(request, "ERR the inference worker gave an answer that cannot be read");
        return "ERR this is no answer";
    }
    const char *wrong = write_all(ctx, argv + NUMBERS, writes);
    if (wrong) {
        fail(request, wrong);
        return NULL;
    }
    if (request->argc > 1) count(request->argv[1], number + CALLS, number[RESET] != 0);
    if (number[CHUNK_SIZE]) chunk_size = number[CHUNK_SIZE];
    if (request->client) {
        Context *client = GetThreadSafeContext(request->client);
        reply(client, argv, argc, at, 0);
        FreeThreadSafeContext(client);
    }
    release(request);
    return NULL;
}

/* What keeps a client from being a worker, or NULL. */
static const char *unfit(Context *ctx) {
    if (GetContextFlags(ctx) & (IN_SCRIPT | IN_TRANSACTION | MAY_NOT_BLOCK)) return "ERR a worker uses no transactions";
    return GetSelectedDb(ctx) ? "ERR a worker uses database 0; SELECT 0" : NULL;
}

/* Note how long this worker may be silent from now on while it has requests, and why. What is wrong, or NULL. */
static const char *promise(Context *ctx, String **argv) {
    long long limit;
    if (StringToLongLong(argv[1], &limit) != OK || limit < 0 || limit > INT32_MAX) return "ERR AI._DONE: give milliseconds";
    Worker *worker = new_worker(ctx);
    if (!worker) return "OOM no memory for a worker";
    worker->loads = is(argv[0], "LOADS");
    worker->limit = limit;
    worker->heard = now();
    return NULL;
}

/* AI._DONE answer | RUNS milliseconds | LOADS milliseconds   -> OK, or the requests of this worker whose clients have gone: it need
 * not run them any more, but answer them. */
static int done(Context *ctx, String **argv, int argc) {
    int promises = argc == 3 && (is(argv[1], "RUNS") || is(argv[1], "LOADS"));
    const char *error = unfit(ctx);
    if (error || (error = promises ? promise(ctx, argv + 1) : answer(ctx, argv + 1, argc - 1))) return ReplyWithError(ctx, error);
    const Worker *worker = this_worker(ctx);
    long gone = 0;
    for (const Request *request = worker->requests; request; request = request->next) gone += !request->client;
    if (!gone) return ReplyWithSimpleString(ctx, "OK");
    ReplyWithArray(ctx, gone);
    for (const Request *request = worker->requests; request; request = request->next) {
        if (!request->client) ReplyWithLongLong(ctx, request->id);
    }
    return OK;
}

/* No request has come in the time that a worker waits. */
static int nothing(Context *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
    for (Worker *worker = workers; worker; worker = worker->next) {
        if (worker->id != GetClientId(ctx) || !worker->waits) continue;
        UnblockClient(worker->waits, NULL);
        worker->waits = NULL;
    }
    return ReplyWithArray(ctx, 0);
}

/* AI._NEXT count milliseconds shares [answer]   -> up to as many requests, after at most this time, 0 for ever; shares is 1 for
 * a worker that has the arena, else 0. */
static int next(Context *ctx, String **argv, int argc) {
    long long number[3];
    for (int i = 0; i < 3; i++) { /* what is added to a time must not be too much for a number */
        if (argc < 4 || StringToLongLong(argv[i + 1], &number[i]) != OK || number[i] < 0 || number[i] > INT32_MAX) {
            return ReplyWithError(ctx, "ERR AI._NEXT: give a count, milliseconds, and whether memory is shared");
        }
    }
    const char *error = number[0] ? unfit(ctx) : "ERR AI._NEXT: ask for one request at least";
    if (error || (argc > 4 && (error = answer(ctx, argv + 4, argc - 4)))) return ReplyWithError(ctx, error);
    Worker *worker = new_worker(ctx);
    if (!worker) return ReplyWithError(ctx, "OOM no memory for a worker");
    worker->count = number[0];
    worker->shares = number[2];
    if (queue.length) give(ctx, worker);
    else worker->waits = BlockClient(ctx, NULL, nothing, NULL, number[1]);
    return OK;
}

/* Why the requests of a worker fail that has gone. */
static void why_gone(const Worker *worker, char *error, size_t size) {
    const char *gone = "ERR the inference worker ended before it answered";
    double limit = (double)worker->limit / 1000;
    if (!worker->limit || now() / 1000 < worker->heard / 1000 + worker->limit) {
        snprintf(error, size, "%s; its log may say why, and another one may be tried", gone);
    } else if (worker->loads) {
        snprintf(error, size, "%s: a model took longer than %g s to load; look into the worker's log", gone, limit);
    } else {
        snprintf(error, size, "%s: a run took longer than %g s, its model_time_limit; give a longer one", gone, limit);
    }
}

/* If a worker has gone, its only request fails; of several, each is given to another one, alone. */
static void client_changed(Context *ctx, Event event, uint64_t change, void *data) {
    (void)event;
    const struct { uint64_t version, flags, id; } *client = data;
    if (change != DISCONNECTED) return;
    Worker **link = &workers;
    while (*link && (*link)->id != client->id) link = &(*link)->next;
    Worker *worker = *link;
    if (!worker) return;
    *link = worker->next;
    if (worker->waits) UnblockClient(worker->waits, NULL);
    int several = worker->requests && worker->requests->next;
    char error[200];
    why_gone(worker, error, sizeof error);
    for (Request *request; (request = worker->requests);) { /* the youngest first, so the oldest will be first in the queue */
        worker->requests = request->next;
        if (several && request->client && !request->once && !request->alone) put_back(request);
        else fail(request, error);
    }
    free(worker);
    serve_waiting();
    if (workers) return;
    deserted = now();
    if (!watched) sweep(ctx, NULL);
}

/* Have -@dangerous deny what is for workers alone, where a module may say so: from 7.2 on. */
static void deny_to_others(Context *ctx) {
    void *(*find)(Context *, const char *name);
    int (*categorise)(void *command, const char *categories);
    if (ctx->get_api("RedisModule_GetCommand", (void *)&find) != OK) return;
    if (ctx->get_api("RedisModule_SetCommandACLCategories", (void *)&categorise) != OK) return;
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        Command *command = COMMANDS[i].command;
        if (command == next || command == done || command == shared) categorise(find(ctx, COMMANDS[i].name), "admin dangerous");
    }
}

/* What the server calls when it loads the module. */
int RedisModule_OnLoad(Context *ctx, String **argv, int argc);
int RedisModule_OnLoad(Context *ctx, String **argv, int argc) {
#define FETCH(result, name, ...) \
    if (ctx->get_api("RedisModule_" #name, (void *)&name) != OK) return ERR;
    SERVER(FETCH)
    SetModuleAttribs(ctx, "ai", 1, API_VERSION);
    if (!read_options(argv, argc)) return ERR;
    open_arena();
    statistics = CreateDict(NULL);
    if (SubscribeToServerEvent(ctx, (Event){CLIENT_CHANGE, 1}, client_changed) != OK) return ERR;
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        int key = COMMANDS[i].key;
        if (CreateCommand(ctx, COMMANDS[i].name, COMMANDS[i].command, COMMANDS[i].flags, key, key, key) != OK) return ERR;
    }
    deny_to_others(ctx);
    if (!RegisterCommandFilter(ctx, rewrite, NOT_OUR_OWN)) return ERR;
    /* glibc's malloc gives memory back to the system, and asks for it again at once, until it has seen a large block freed; then
     * it keeps more. A string that grows by a trailer would keep it at that for ever: 1 MiB in 4 to 7 times the time of SET. So
     * let it see a block of the size where it stops learning. It costs no memory, since nobody writes into it, and nothing at all
     * where the server has an allocator of its own. */
    void *volatile block = malloc(((size_t)32 << 20) - ((size_t)64 << 10));
    free(block);
    return OK;
}
