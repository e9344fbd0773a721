/* Ranks what the search finds, and shows a sentence of each page. It replaces Sphinx's ranking, which asks for all words of a query
   and takes a page's best one. Here a page counts all its words, the rare ones more, and where they stand: in its title, among the
   keywords of its head, in a heading, in its text. Nothing is fetched, so it works from a disk as from a server. */

/* Words of questions that Sphinx' own list has not. */
["can", "don", "get", "give", "need", "s", "t", "use", "using", "want", "way", "whose", "will"].forEach((word) => stopwords.add(word));

/* Whoever searches wants to do something; a decision explains what was rejected. The first that fits counts. */
const PLACES = [
  ["start", 1.3],
  ["howto/", 1.25],
  ["learn/", 1.1],
  ["decisions/", 0.35],
  ["reference/messages", 0.6],
  ["reference/glossary", 0.7],
  ["reference/", 0.9],
  ["understand/", 0.8],
  ["", 1],
];
const FIELDS = { title: 10, keywords: 9, heading: 5, text: 1 };
const PREFIX = 0.6; // a word that is only the beginning of one
const OBJECT = { full: 100, name: 30, word: 6 }; // a query like Model.path, like add_model, like start
const LEAST = 0.05; // of the best score; what has less is not worth a look

const Ranking = {
  stem: (text) => {
    const stemmer = new Stemmer();
    const words = splitQuery(text.toLowerCase()).filter((word) => !stopwords.has(word));
    return [...new Set(words.map((word) => stemmer.stemWord(word)))];
  },

  /* All pages, each with its phrases: title, keywords and headings, as stems. */
  pages: () => {
    const { docnames, titles, alltitles, terms, titleterms } = Search._index;
    const pages = docnames.map((name, number) => ({
      name,
      title: titles[number],
      about: PAGES[name]?.description ?? "",
      phrases: [
        { field: "title", words: Ranking.stem(titles[number]) },
        ...(PAGES[name]?.keywords ?? "").split(",").map((words) => ({ field: "keywords", words: Ranking.stem(words) })),
      ],
      text: new Set(),
    }));
    for (const [text, places] of Object.entries(alltitles))
      for (const [number, id] of places)
        if (id !== null && text !== titles[number])
          pages[number].phrases.push({ field: "heading", words: Ranking.stem(text), text, id });
    for (const [term, numbers] of [...Object.entries(terms), ...Object.entries(titleterms)])
      [numbers].flat().forEach((number) => pages[number].text.add(term));
    return pages;
  },

  /* How well a list of words has this one: 1, or less for its beginning, or 0. */
  match: (word, words) => {
    if (words.includes(word)) return 1;
    return word.length > 2 && words.some((each) => each.startsWith(word)) ? PREFIX : 0;
  },

  /* How much each word of a query says: the fewer pages have it, the more. A word that no page has is taken for the nearest. */
  weigh: (query, pages) => {
    const all = new Set(pages.flatMap((page) => [...page.text, ...page.phrases.flatMap((phrase) => phrase.words)]));
    const known = (word) => Ranking.match(word, [...all]) > 0;
    return query.map((written) => {
      const word = known(written) ? written : ([...all].find((each) => Ranking.near(written, each)) ?? written);
      const having = pages.filter((page) => Ranking.hits(word, page) > 0).length;
      return { word, rarity: Math.log(1 + pages.length / (1 + having)) };
    });
  },

  /* One letter is missing, too many, wrong, or changed places with the next. */
  near: (word, other) => {
    if (word.length < 5 || Math.abs(word.length - other.length) > 1) return false;
    let start = 0;
    while (start < word.length && word[start] === other[start]) start++;
    const [a, b] = [word.slice(start), other.slice(start)];
    const swapped = a.length > 1 && a[1] + a[0] + a.slice(2) === b;
    return swapped || a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1);
  },

  hits: (word, page) =>
    Math.max(
      ...page.phrases.map((phrase) => FIELDS[phrase.field] * Ranking.match(word, phrase.words)),
      FIELDS.text * (page.text.has(word) ? 1 : Ranking.match(word, [...page.text])),
    ),

  /* How much of a phrase and of a query are the same words. */
  alike: (weights, phrase) => {
    const sum = (share) => weights.reduce((total, { word, rarity }) => total + rarity * share(word), 0);
    const shared = weights.filter(({ word }) => Ranking.match(word, phrase.words) > 0).length;
    return sum((word) => Ranking.match(word, phrase.words)) / (sum(() => 1) + 0.7 * Math.max(phrase.words.length - shared, 0) || 1);
  },

  score: (weights, page) => {
    const hits = weights.map(({ word, rarity }) => ({ rarity, hit: Ranking.hits(word, page) }));
    const sum = (share) => hits.reduce((total, { rarity, hit }) => total + rarity * share(hit), 0);
    const all = sum(() => 1) || 1;
    const phrase = Math.max(...page.phrases.map((each) => FIELDS[each.field] * Ranking.alike(weights, each) ** 2));
    const place = PLACES.find(([start]) => page.name.startsWith(start))[1];
    return place * (sum((hit) => hit) / all + 2 * phrase) * (sum((hit) => Number(hit > 0)) / all) ** 2;
  },

  /* The heading that has more of the query than the page's title. */
  section: (weights, page) => {
    const liking = (phrase) => Ranking.alike(weights, phrase);
    const headings = page.phrases.filter(({ field }) => field === "heading");
    const best = headings.reduce((best, each) => (liking(each) > liking(best) ? each : best), page.phrases[0]);
    return best !== page.phrases[0] && liking(best) > 0.5 ? best : null;
  },

  /* Classes, functions and methods of that name. Whoever writes one as in a program wants it first. */
  objects: (query) => {
    const name = query.trim().replace(/\(.*$/, "");
    const kind = name.includes(".") ? "full" : /_|[a-z][A-Z]/.test(name) ? "name" : "word";
    const last = name.toLowerCase().split(".").pop();
    return Search.performObjectSearch(last, new Set([last]))
      .filter(([, full]) => `.${full}`.toLowerCase().endsWith(`.${name.toLowerCase()}`))
      .map(([page, full, anchor, about]) => [page, full, anchor, `${about}.`, OBJECT[kind], null, "object"]);
  },

  /* The words of a query, which Sphinx also keeps for the page that is chosen, to mark them there. */
  words: (query) => [...Search._parseQuery(query)[1]],

  /* Results as Sphinx has them, the best one last. */
  find: (query, words) => {
    const pages = (Ranking.known ??= Ranking.pages());
    const weights = Ranking.weigh(words, pages);
    const scored = pages.map((page) => ({ page, score: weights.length ? Ranking.score(weights, page) : 0 }));
    const found = scored.filter(({ score }) => score > 0).map(({ page, score }) => {
      const section = Ranking.section(weights, page);
      const title = section ? `${page.title} › ${section.text}` : page.title;
      return [page.name, title, section ? `#${section.id}` : "", page.about, score, null, "text"];
    });
    const results = [...found, ...Ranking.objects(query)].sort((a, b) => a[4] - b[4]);
    return results.filter((result) => result[4] >= LEAST * results.at(-1)[4]);
  },
};

Search.query = (query) => {
  const results = Ranking.find(query, Ranking.words(query));
  Search.stopPulse();
  Search.title.innerText = "Search results";
  Search.status.setAttribute("role", "status");
  results.reverse().forEach(([page, title, anchor, about]) => {
    const item = Search.output.appendChild(document.createElement("li"));
    const link = item.appendChild(document.createElement("a"));
    link.href = document.documentElement.dataset.content_root + page + DOCUMENTATION_OPTIONS.LINK_SUFFIX + anchor;
    link.textContent = title;
    const sentence = item.appendChild(document.createElement("p"));
    sentence.className = "context";
    sentence.textContent = about;
  });
  const many = results.length === 1 ? "1 page" : `${results.length} pages`;
  Search.status.innerText = results.length ? `${many}, the best one first.` : "No page has these words. Try another word for it.";
};
