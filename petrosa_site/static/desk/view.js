// What the page shows of what it knows.

import { el, pill, Rows } from "./dom.js";
import * as f from "./format.js";
import { isWorking } from "./state.js";

const byId = (id) => document.getElementById(id);
const MODES = {
  ACTIVE: ["Trading is active", "Entries and exits are allowed."],
  REDUCE_ONLY: ["Reduce only", "No new entries; exits are allowed."],
  HALTED: ["Trading is halted", "No new entries; exits are allowed."],
  CANCEL_OPEN: ["Trading is halted", "No new entries; those that rest are being cancelled."],
  FLATTEN: ["Trading is halted", "No new entries; open positions are being sold."],
};
const HALTS = ["HALTED", "CANCEL_OPEN", "FLATTEN"];
const LEVELS = ["ACTIVE", "REDUCE_ONLY", ...HALTS]; // mildest first
const STATUS_TONES = {
  NEW: "info",
  SUBMITTING: "warn",
  PENDING: "info",
  OPEN: "info",
  PARTIALLY_FILLED: "info",
  FILLED: "good",
  REJECTED: "bad",
  CANCELED: "plain",
  EXPIRED: "plain",
  NOT_PLACED: "warn",
};
const COVER_TONES = { protected: "good", guarded: "info", "no stop level": "warn" };
const CONNECTION = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  stale: "Stale",
};
const CONNECTION_TITLES = {
  connecting: "Opening the live connection",
  live: "Changes appear as they happen",
  reconnecting: "The live connection is lost: trying again; the page is read every few seconds",
  stale: "The server hears no news (Redis is away): the page is read every few seconds",
};

export class View {
  constructor(options) {
    this.options = options; // environment, links, canRelease
    this.rows = {
      accounts: new Rows(byId("accounts"), (a) => this.#accountRow(a), earnedAndOpen),
      positions: new Rows(byId("positions"), (p) => this.#position(p), heldAndGuarded),
      signals: new Rows(byId("signals"), ({ signal, order }) => this.#signal(signal, order)),
      working: new Rows(byId("working"), (o) => this.#order(o)),
      orders: new Rows(byId("orders"), (o) => this.#order(o)),
      fills: new Rows(byId("fills"), (fill) => this.#fill(fill)),
    };
  }

  showBooks(books) {
    this.#environment(books.environment);
    this.#trading(books.trading);
    this.#breakers(books.trips);
    this.#alarms(books);
    this.hasOneAccount = books.accounts.length === 1;
    this.#accounts(books);
    this.rows.positions.show(books.positions, (p) => p.id);
    const dust = books.positions.filter((p) => p.is_dust).length;
    const held = books.positions.filter((p) => p.is_open && !p.is_dust).length;
    count("positions", books.positions.length, dust ? `${held} · ${dust} dust` : String(held));
  }

  showFeed(desk) {
    const orders = desk.ordersBySignal();
    const signals = desk.latestSignals().map((signal) => {
      const order = orders.get(signal.uid);
      return { signal, order: order && { status: order.status, unknown: order.unknown_since } };
    });
    this.rows.signals.show(signals, ({ signal }) => signal.id);
    count("signals", signals.length);
    const all = desk.latestOrders();
    const working = all.filter(isWorking);
    this.rows.working.show(working, (o) => o.id);
    this.rows.orders.show(all.filter((o) => !isWorking(o)), (o) => o.id);
    count("orders", all.length, working.length ? `${working.length} working` : "");
    byId("working").hidden = working.length === 0;
    const fills = desk.latestFills();
    this.rows.fills.show(fills, (fill) => fill.key);
    count("fills", fills.length);
    this.tick();
  }

  showConnection(state) {
    const badge = byId("connection");
    badge.dataset.state = state;
    badge.title = CONNECTION_TITLES[state];
    byId("connection-word").textContent = CONNECTION[state];
  }

  // Say that the numbers below are old: `since` is the moment of the last good read, or null.
  showAge(since) {
    document.body.dataset.old = since ? "yes" : "no";
    byId("old").hidden = !since;
    if (!since) return;
    const seconds = Math.max(0, Math.floor((f.now() - since) / 1000));
    setText(
      byId("old"),
      `The server does not answer. Everything below is as of ${f.clock(since)} UTC, ${f.span(seconds)} ago.`,
    );
  }

  tick() {
    byId("clock").textContent = f.clock();
    for (const node of document.querySelectorAll("time[data-ago]")) {
      setText(node, f.ago(node.dateTime));
    }
    for (const node of document.querySelectorAll("[data-until]")) {
      setText(node, `${node.dataset.words} ${f.countdown(node.dataset.until)}`);
    }
    for (const node of document.querySelectorAll("[data-since]")) {
      setText(node, `${node.dataset.words} ${f.span(f.secondsSince(node.dataset.since))}`);
    }
  }

  #environment(name) {
    document.body.dataset.environment = name;
    byId("environment").textContent = name ? name.toUpperCase() : "NO ACCOUNT";
    this.options.environment = name;
  }

  #trading({ mode, reason, states, resting_entries: resting }) {
    byId("trading").dataset.mode = HALTS.includes(mode) ? "HALTED" : mode;
    const [word, meaning] = MODES[mode];
    byId("trading-word").textContent = word;
    byId("trading-reason").textContent = reason || meaning;
    byId("trading-resting").replaceChildren(...this.#resting(mode === "ACTIVE" ? 0 : resting));
    byId("trading-states").replaceChildren(...states.map((state) => this.#state(state)));
    const everywhere = states.filter((s) => s.scope === "global" && !s.expires_at);
    const strictest = Math.max(0, ...everywhere.map((s) => LEVELS.indexOf(s.mode)));
    for (const button of document.querySelectorAll("[data-stop]")) {
      button.hidden = LEVELS.indexOf(button.dataset.stop) <= strictest;
    }
  }

  // A stop cancels nothing: say what still waits at the venue, and where to cancel it.
  #resting(count) {
    if (!count) return [];
    const words = `${count} ${count === 1 ? "entry still rests" : "entries still rest"} at the venue`;
    const link = this.options.links.resting;
    return [link ? el("a", { href: link }, words) : words, " and may fill."];
  }

  #state(state) {
    const scope = state.scope === "global" ? "everything" : `${state.scope} ${state.key}`;
    const link = this.options.links.tradingstate;
    const words = `${f.words(state.mode)}: ${scope}, by ${state.by}`;
    return el(
      "li",
      {},
      pill(words, HALTS.includes(state.mode) ? "bad" : "warn", state.reason),
      " since ",
      when(state.at),
      link ? el("a", { class: "release", href: address(link, state.id) }, "Open") : null,
      this.options.canRelease
        ? el(
            "button",
            { type: "button", class: "quiet", "data-release": state.id, "data-words": `${words}: ${state.reason}` },
            "Release",
          )
        : null,
    );
  }

  // Breakers that say the same stand together.
  #breakers(trips) {
    const groups = new Map();
    for (const trip of trips) {
      const words = `${trip.state}: ${trip.actual}`;
      groups.set(words, [...(groups.get(words) ?? []), trip]);
    }
    byId("breakers").replaceChildren(
      ...[...groups].map(([words, alike]) =>
        el("li", {}, ...alike.map((trip) => breaker(trip)), ` ${words}`),
      ),
    );
    byId("breakers").hidden = trips.length === 0;
  }

  #alarms({ positions, accounts }) {
    const link = this.options.links.position;
    const alarms = positions
      .filter((p) => isBare(p) || p.alarm || p.oversold || p.shortfall)
      .map((p) => {
        const more = p.shortfall && link ? [" ", el("a", { href: `${address(link, p.id)}#shortfall` }, "Open it")] : [];
        return el("li", {}, el("b", {}, p.symbol), ` in ${p.account}: ${alarmText(p)}`, ...more);
      });
    for (const account of accounts) {
      if (account.can_trade === false) {
        alarms.push(el("li", {}, el("b", {}, account.name), ": the venue says it cannot trade."));
      }
    }
    byId("alarms").replaceChildren(...alarms);
    byId("alarms").hidden = alarms.length === 0;
  }

  // One account has room for a card; more are a line each, with the wallets they share below.
  #accounts({ accounts, wallets }) {
    const isList = accounts.length > 1;
    byId("account").hidden = !this.hasOneAccount;
    byId("accounts-panel").hidden = !isList;
    byId("account").replaceChildren(
      ...(this.hasOneAccount ? [this.#account(accounts[0], wallets[0])] : []),
    );
    this.hasOneQuote = new Set(accounts.map((a) => a.quote_asset)).size === 1;
    this.rows.accounts.show(isList ? accounts : [], (a) => a.id);
    setText(byId("accounts-count"), String(accounts.length));
    byId("wallets").replaceChildren(...(isList ? wallets.map(walletLine).filter(Boolean) : []));
  }

  #accountRow(a) {
    const isOwn = a.own_cash != null;
    return el(
      "tr",
      { class: a.enabled ? "" : "off" },
      cell("account", "Account", el("div", { title: a.name }, ...this.#nameAndPills(a))),
      cell(
        "equity num",
        "Equity",
        el("span", { title: `best ${f.money(a.high_water)}` }, f.money(a.equity)),
        this.hasOneQuote ? null : el("small", {}, a.quote_asset),
      ),
      cell(
        "money num",
        isOwn ? "Own money" : "Free",
        isOwn ? null : el("small", { title: `${f.money(a.locked)} locked` }, "free"),
        el("span", { title: a.own_cash ?? a.free }, f.money(isOwn ? a.own_cash : a.free)),
      ),
      cell("invested num", "In positions", el("span", { title: a.invested }, f.money(a.invested))),
      cell(
        `realised num ${tone(a.realised)}`,
        "Realised",
        el("span", { title: realisedTitle(a) }, f.gain(a.realised)),
      ),
      cell(
        `unrealised num ${tone(a.unrealised)}`,
        "Unrealised",
        el("span", { title: unvalued(a) }, f.gain(a.unrealised)),
      ),
      cell(
        `down num ${fallTone(a)}`,
        "Down today",
        el("span", { title: losses(a) }, f.percent(a.daily_loss_pct)),
      ),
      cell("won num", "Won / lost", `${a.wins} / ${a.losses}`),
      cell("open num", "Open", `${a.open_positions} / ${a.max_open_positions}`),
    );
  }

  #nameAndPills(a) {
    return [
      linked(this.options.links.virtualaccount, a.id, a.name),
      a.name === a.environment ? null : this.#environmentOf(a),
      a.is_default ? pill("default", "plain", "Takes signals that are not mapped elsewhere") : null,
      a.enabled ? null : pill("disabled", "warn"),
      a.cooldown_until ? cooldown(a) : null,
    ];
  }

  #account(a, wallet) {
    const isOwn = a.own_cash != null;
    // The wallet's quote asset is a tile already, unless the account's own money is.
    const others = wallet.balances.filter((b) => isOwn || b.asset !== a.quote_asset);
    return el(
      "section",
      { class: "account", "aria-label": `Account ${a.name}` },
      el("header", {}, ...this.#nameAndPills(a)),
      tile("Equity", f.money(a.equity), `best ${f.money(a.high_water)}`),
      isOwn
        ? tile("Own money", f.money(a.own_cash), `${a.own_cash}, what this account may spend`)
        : tile(`Free ${a.quote_asset}`, f.money(a.free), a.free ?? ""),
      isOwn
        ? tile("In positions", f.money(a.invested), `${a.invested}, what they cost`)
        : tile("Locked", f.money(a.locked), a.locked ?? ""),
      tile("Realised P&L", f.gain(a.realised), realisedTitle(a), tone(a.realised)),
      tile("Unrealised P&L", f.gain(a.unrealised), unvalued(a), tone(a.unrealised)),
      tile("Down today", f.percent(a.daily_loss_pct), losses(a), fallTone(a)),
      tile("Won / lost", `${a.wins} / ${a.losses}`, "Closed trades, after fees"),
      tile("Open positions", `${a.open_positions} / ${a.max_open_positions}`),
      others.length ? assets(others, wallet.more_assets, "Other assets") : null,
    );
  }

  #position(p) {
    const stale = p.mark_at && f.secondsSince(p.mark_at) > 15;
    const mark = p.mark ? f.price(p.mark) : "–";
    return el(
      "tr",
      { class: isBare(p) || p.alarm || p.shortfall ? "alarmed" : p.is_dust ? "dust" : "" },
      cell(
        "symbol",
        "Symbol",
        linked(this.options.links.position, p.id, p.symbol),
        this.hasOneAccount ? null : el("small", { title: p.account }, p.account),
        this.#elsewhere(p.environment),
      ),
      cell("quantity num", "Quantity", f.quantity(p.quantity)),
      cell("entry num", "Entry", f.price(p.entry)),
      cell(
        "mark num",
        "Mark",
        el("span", { class: stale ? "old" : "" }, mark),
        p.mark_at ? el("small", {}, when(p.mark_at)) : null,
      ),
      cell("stop num", "Stop", f.price(p.stop)),
      cell("target num", "Target", f.price(p.target)),
      cell(`unrealised num ${tone(p.unrealised)}`, "Unrealised", f.gain(p.unrealised)),
      cell("protection", "Protection", ...this.#protection(p)),
    );
  }

  // A pill for each thing that is so; the sentences stand in its title.
  #protection(p) {
    const lines = p.cover_lines.join(" ");
    const link = this.options.links.position;
    const missing = p.shortfall ? pill(`${f.quantity(p.shortfall)} missing`, "bad", lines) : null;
    const words = p.refused ? `refused ${p.refused}×` : p.stops > 1 ? `${p.stops} stops` : null;
    return [
      missing && !isBare(p) ? null : protection(p),
      missing && link ? el("a", { href: `${address(link, p.id)}#shortfall` }, missing) : missing,
      words ? el("small", { title: lines }, words) : null,
    ];
  }

  #signal(s, order) {
    const [word, colour] = outcome(s, order);
    const reason = reasonOf(s);
    return el(
      "tr",
      {},
      cell("at", "Time", when(s.at)),
      cell("strategy", "Strategy", linked(this.options.links.signal, s.id, s.strategy || s.source)),
      cell(
        "symbol",
        "Signal",
        s.action ? pill(s.action, sideTone(s.action)) : null,
        el("b", {}, s.symbol || "not understood"),
        this.#elsewhere(s.environment),
      ),
      cell("confidence num", "Confidence", f.share(s.confidence)),
      cell(
        "outcome",
        "Outcome",
        pill(word, colour, reason),
        reason ? el("small", { title: reason }, reason) : null,
      ),
    );
  }

  #order(o) {
    const trigger = o.stop_price && `@ ${f.price(o.stop_price)}`;
    const limits = [o.price && f.price(o.price), trigger].filter(Boolean).join(" ");
    const unknown = o.unknown_since
      ? el("span", { class: "pill bad", "data-since": o.unknown_since, "data-words": "unknown for" })
      : null;
    const status = pill(f.words(o.status), STATUS_TONES[o.status] ?? "plain", o.reason);
    return el(
      "tr",
      { class: `${o.unknown_since ? "alarmed" : ""} ${o.average ? "traded" : ""}` },
      cell("at", "Age", when(o.at)),
      cell(
        "symbol",
        "Order",
        pill(f.words(o.side), sideTone(o.side)),
        linked(this.options.links.order, o.id, o.symbol),
        el("small", {}, f.words(o.role)),
        this.#elsewhere(o.environment),
      ),
      cell("type", "Type", f.words(o.type)),
      cell("quantity num", "Quantity", f.quantity(o.quantity)),
      cell(
        "price num",
        "Price",
        el("span", { title: trigger ? "@ is the price that triggers it" : null }, limits || "market"),
      ),
      cell("average num", "Average", f.price(o.average)),
      cell("status", "Status", unknown ?? status, ...this.#goesOn(o)),
    );
  }

  // An exit that ended short is carried on by the next one until all is sold.
  #goesOn(o) {
    const words = [];
    if (o.continues) words.push(el("small", {}, "continues ", linked(this.options.links.order, o.continues, `#${o.continues}`), `, attempt ${o.attempt}`));
    if (o.goes_on_at) words.push(el("small", {}, `goes on at ${f.clock(new Date(o.goes_on_at))}`));
    return words;
  }

  #fill(x) {
    return el(
      "tr",
      {},
      cell("at", "Time", when(x.at)),
      cell(
        "symbol",
        "Fill",
        pill(f.words(x.side), sideTone(x.side)),
        linked(this.options.links.order, x.order_id, x.symbol),
        this.#elsewhere(x.environment),
      ),
      cell("quantity num", "Quantity", f.quantity(x.quantity)),
      cell("price num", "Price", f.price(x.price)),
      cell("fee num", "Fee", `${f.quantity(x.commission)} ${x.commission_asset}`),
    );
  }

  #environmentOf(account) {
    const node = environmentPill(account.environment);
    if (!this.#elsewhere(account.environment)) node.classList.add("here");
    return node;
  }

  #elsewhere(environment) {
    const isHere = !environment || environment === this.options.environment;
    return isHere ? null : environmentPill(environment);
  }
}

function breaker(trip) {
  const tone = trip.state === "tripped" ? "bad" : "warn";
  return pill(`${trip.name} ${trip.key}`.trim(), tone, trip.limit ? `stops at ${trip.limit}` : null);
}

function environmentPill(name) {
  return el("span", { class: "pill environment", "data-environment": name }, name);
}

function cell(classes, label, ...children) {
  return el("td", { class: classes, "data-label": label }, ...children);
}

function linked(link, id, text) {
  return link ? el("a", { href: address(link, id) }, text) : el("span", {}, text);
}

function address(link, id) {
  return link.replace("/0/", `/${Number(id)}/`);
}

function when(iso) {
  return el("time", { datetime: iso, title: f.exact(iso), "data-ago": true }, f.ago(iso));
}

function cooldown(account) {
  const words = "cooldown";
  const node = pill(`${words} ${f.countdown(account.cooldown_until)}`, "warn", "No entries after losses in a row");
  node.dataset.until = account.cooldown_until;
  node.dataset.words = words;
  return node;
}

function walletLine(wallet) {
  if (!wallet.balances.length) return null;
  const name = `In the wallet of ${wallet.environment}`;
  return el(
    "div",
    { class: "wallet" },
    el("span", {}, "Wallet", environmentPill(wallet.environment)),
    assets(wallet.balances, wallet.more_assets, name),
  );
}

function assets(balances, more, name) {
  return el(
    "ul",
    { class: "assets", "aria-label": name },
    ...balances.map((b) =>
      el("li", { title: `${b.locked} locked` }, el("b", {}, b.asset), ` ${f.quantity(b.total)}`),
    ),
    more ? el("li", {}, `and ${more} more`) : null,
  );
}

function realisedTitle(account) {
  return `${account.realised}, after ${account.fees} of fees`;
}

function unvalued(account) {
  return account.unvalued ? `${account.unvalued} without a price` : null;
}

function fallTone(account) {
  return Number(account.daily_loss_pct) ? "loss" : "";
}

function losses(account) {
  return `this week ${f.percent(account.weekly_loss_pct)}, from the best ${f.percent(account.drawdown_pct)}`;
}

function tile(label, value, title, classes = "") {
  return el(
    "div",
    { class: "tile", title },
    el("span", { class: "label" }, label),
    el("span", { class: `value ${classes}` }, value),
  );
}

// Worth moves with the prices; an account's line is news when it traded, or may trade differently.
function earnedAndOpen(a) {
  return [a.realised, a.open_positions, a.wins, a.losses, a.enabled, a.is_default, a.cooldown_until];
}

function count(panel, number, words) {
  const shown = words ?? "";
  setText(byId(`${panel}-count`), shown || (number ? String(number) : ""));
  byId(`${panel}-empty`).hidden = number > 0;
  byId(`${panel}-table`).hidden = number === 0;
}

// Prices move all the time; a row is news when what is held, or what guards it, changes.
function heldAndGuarded(p) {
  return [p.quantity, p.stop, p.target, p.naked_since, p.cover, p.shortfall, p.alarm, p.oversold, p.is_open];
}

// A cent's fraction shows as 0.00 and has no colour.
function tone(text) {
  const value = Math.round(Number(text ?? 0) * 100);
  return value > 0 ? "gain" : value < 0 ? "loss" : "";
}

function sideTone(side) {
  return { buy: "good", sell: "bad" }[side.toLowerCase()] ?? "info";
}

const BARE = ["naked", "partly covered"];

// Missing its stop, as the server sees it or because its grace has run out since.
function isBare(p) {
  return p.is_open && !p.is_dust && (BARE.includes(p.cover) || isNaked(p));
}

function isNaked(p) {
  return Boolean(p.is_open && p.naked_since && f.secondsSince(p.naked_since) >= p.grace_seconds);
}

function alarmText(p) {
  if (p.oversold) return `sold ${f.quantity(p.oversold)} more than was held`;
  const [line] = p.cover_lines;
  if (isBare(p)) return [line ?? "Open without a stop.", p.alarm && `Alarm: ${p.alarm}.`].filter(Boolean).join(" ");
  return p.shortfall && line ? line : p.alarm;
}

function protection(p) {
  if (!p.is_open) return pill("flat", "plain");
  if (p.is_dust) return pill("dust", "plain", "Too small for the venue to take an order");
  const lines = p.cover_lines.join(" ");
  if (isBare(p)) {
    const words = p.cover === "partly covered" ? "partly covered" : "naked";
    if (!p.naked_since) return pill(words, "bad solid", lines);
    return el("span", { class: "pill bad solid", "data-since": p.naked_since, "data-words": words, title: lines });
  }
  if (p.naked_since) return pill("protecting", "warn", "Protective orders are being placed");
  return pill(p.cover, COVER_TONES[p.cover] ?? "plain", lines);
}

function reasonOf({ code, field, message }) {
  const where = field ? `${field}: ` : "";
  return message.startsWith(code) ? where + message : `${code} ${where}${message}`.trim();
}

function outcome(signal, order) {
  switch (signal.status) {
    case "denied":
      return ["denied", "warn"];
    case "rejected":
      return ["rejected", "bad"];
    case "shadow":
      return ["shadow", "info"];
    case "routed":
      if (!order) return ["approved", "good"];
      if (order.unknown) return ["order unknown", "bad"];
      return [f.words(order.status), STATUS_TONES[order.status] ?? "plain"];
    default:
      return ["received", "info"];
  }
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
