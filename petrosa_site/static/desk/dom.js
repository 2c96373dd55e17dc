// Elements from data. Text only ever becomes text: nothing here parses markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined).map(asNode));
  return node;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

export function pill(text, tone, title) {
  return el("span", { class: `pill ${tone}`, title }, text);
}

// Rows of one table body: a row whose data is unchanged keeps its element. A new row, and one of
// which `newsOf` says something else than before, lights up for a moment.
export class Rows {
  constructor(body, build, newsOf = (item) => item) {
    this.body = body;
    this.build = build;
    this.newsOf = newsOf;
    this.shown = new Map();
    this.isFirst = true;
  }

  show(items, keyOf) {
    const next = new Map();
    for (const item of items) {
      const key = keyOf(item);
      const version = JSON.stringify(item);
      const old = this.shown.get(key);
      if (old?.version === version) {
        next.set(key, old);
        continue;
      }
      const row = this.build(item);
      const news = JSON.stringify(this.newsOf(item));
      if (!this.isFirst && old?.news !== news) row.classList.add("fresh");
      next.set(key, { version, news, row });
    }
    const focused = this.body.contains(document.activeElement) ? focusPath(this.shown) : null;
    const wanted = [...next.values()].map(({ row }) => row);
    place(this.body, wanted);
    this.shown = next;
    this.isFirst = false;
    if (focused) next.get(focused)?.row.querySelector("a")?.focus({ preventScroll: true });
  }
}

function focusPath(shown) {
  for (const [key, { row }] of shown) if (row.contains(document.activeElement)) return key;
  return null;
}

// Move as little as possible, so that animations and focus of rows that stay are left alone.
function place(body, wanted) {
  const staying = new Set(wanted);
  for (const child of [...body.children]) if (!staying.has(child)) child.remove();
  wanted.forEach((row, index) => {
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
}
