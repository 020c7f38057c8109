// The search of index.html. Without it, the groups are there.
"use strict";
// The address of a row of endpoints.js, below the index.
const pageOf = ([verb, template, , , , page]) =>
  page || `endpoints/${template.replace(/\/$/, "").replace(/[{}]/g, "_")}/${verb.toLowerCase()}.html`;

{
  const form = document.getElementById("search");
  const input = form.elements.q;
  const status = document.getElementById("found");
  const results = document.getElementById("results");
  const groups = document.getElementById("groups");
  const most = 50;

  const prepared = endpoints.map((row) => ({
    row,
    title: row[2].toLowerCase(),
    path: row[1].toLowerCase(),
    rest: `${row[0]} ${row[3]}`.toLowerCase(),
  }));

  // How well a word fits; 0: not at all.
  const fit = ({ title, path, rest }, word) => {
    if (title === word || path === word) return 12;
    if (title.startsWith(word)) return 8;
    if (title.includes(word)) return 6;
    if (path.split(/[/.]/).includes(word)) return 5;
    if (path.includes(word)) return 4;
    return rest.includes(word) ? 2 : 0;
  };

  // Chinese has no spaces: pairs of characters.
  const pairs = (text) => {
    const letters = [...text.replace(/\s+/g, "")];
    return letters.slice(1).map((letter, at) => letters[at] + letter);
  };

  const rank = (score) =>
    prepared
      .map((entry) => ({ entry, score: score(entry) - (entry.row[4] ? 0.5 : 0) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.entry.path.length - b.entry.path.length);

  const search = (text) => {
    const words = text.toLowerCase().split(/[\s,，、]+/).filter(Boolean);
    const all = rank((entry) => {
      const fits = words.map((word) => fit(entry, word));
      return fits.includes(0) ? 0 : fits.reduce((sum, one) => sum + one, 0);
    });
    if (all.length > 0) return all;
    const parts = pairs(text.toLowerCase());
    return rank((entry) => {
      const found = parts.filter((part) => fit(entry, part) > 0);
      return found.length * 2 > parts.length ? found.reduce((sum, part) => sum + fit(entry, part), 0) : 0;
    });
  };

  const element = (name, text, set = {}) => Object.assign(document.createElement(name), { textContent: text }, set);

  const show = () => {
    const text = input.value.trim();
    groups.hidden = text !== "";
    results.hidden = text === "";
    results.replaceChildren();
    status.textContent = "";
    if (text === "") return;
    const found = search(text);
    for (const { entry } of found.slice(0, most)) {
      const [verb, template, title] = entry.row;
      const link = element("a", "", { href: pageOf(entry.row) });
      if (verb) link.append(element("code", verb, { className: "verb" }), " ");
      link.append(element("code", template));
      const item = element("li", "");
      item.append(link, " ", element("span", title, { lang: "zh" }));
      results.append(item);
    }
    const { none, one, many, first } = status.dataset;
    status.textContent = found.length === 0 ? none : found.length === 1 ? one : `${found.length} ${many}`;
    if (found.length > most) status.textContent += ` (${first})`;
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    results.querySelector("a")?.focus();
  });
  input.addEventListener("input", () => {
    show();
    // A page that is opened as a file may not change its address.
    try {
      history.replaceState(null, "", input.value ? `?q=${encodeURIComponent(input.value)}` : location.pathname);
    } catch {}
  });
  input.value ||= new URLSearchParams(location.search).get("q") ?? "";
  show();
}
