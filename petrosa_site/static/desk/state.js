// What the page knows. Snapshots replace it, events amend it; hearing anything twice changes nothing.

const KEEP = 120;
const CLOSED = new Set(["FILLED", "CANCELED", "EXPIRED", "REJECTED", "NOT_PLACED"]);
const ABOUT_BOOKS = /^(fill|position|protection|account|control|order\.(filled|cancel|expired|reject|partially))/;

export const isWorking = (order) => !CLOSED.has(order.status);

export class Desk {
  constructor() {
    this.signals = new Map();
    this.orders = new Map();
    this.fills = new Map();
    this.books = null;
    this.wantsBooks = false;
    this.wantsSnapshot = false;
  }

  load(snapshot) {
    this.signals = new Map(snapshot.signals.map((s) => [s.id, s]));
    this.orders = new Map(snapshot.orders.map((o) => [o.id, o]));
    this.fills = new Map(snapshot.fills.map((f) => [f.key, f]));
    this.wantsSnapshot = false;
    this.loadBooks(snapshot);
  }

  loadBooks({ at, environment, trading, trips, accounts, wallets, positions }) {
    this.books = { at, environment, trading, trips, accounts, wallets, positions };
    this.wantsBooks = false;
  }

  apply(event) {
    if (ABOUT_BOOKS.test(event.kind)) this.wantsBooks = true;
    const [subject] = event.kind.split(".");
    if (subject === "signal") this.#signal(event);
    else if (subject === "decision") this.#decision(event);
    else if (subject === "fill") this.#fill(event);
    else if (subject === "order") this.#order(event);
    else if (subject === "exit") this.wantsSnapshot = true; // it goes on, or no more: rare
  }

  #signal(event) {
    const id = Number(event.subject_id);
    if (event.kind === "signal.repeated") return;
    const known = this.signals.get(id);
    const word = event.kind.slice("signal.".length);
    if (known && word === "received") return; // told late: the row has moved on
    const { data } = event;
    this.signals.set(id, {
      id,
      uid: event.signal_uid,
      at: event.at,
      environment: "",
      source: data.source,
      strategy: data.strategy_id,
      symbol: data.symbol,
      action: data.action,
      confidence: data.confidence,
      ...known,
      status: word,
      field: data.field ?? "",
      code: data.code ?? "",
      message: data.message ?? "",
    });
    trim(this.signals, (a, b) => b.id - a.id);
  }

  #decision(event) {
    for (const signal of this.signals.values()) {
      if (signal.uid !== event.signal_uid) continue;
      const approved = event.kind === "decision.approved";
      this.signals.set(signal.id, {
        ...signal,
        environment: event.environment,
        status: approved ? "routed" : "denied",
        code: event.data.code ?? "",
        message: event.data.message ?? "",
      });
      return;
    }
  }

  #fill(event) {
    if (event.kind !== "fill.booked") return;
    const { data } = event;
    const key = `${event.subject_id}:${data.trade_id}`;
    if (this.fills.has(key)) return;
    this.fills.set(key, {
      key,
      order_id: Number(event.subject_id),
      at: event.at,
      environment: event.environment,
      symbol: data.symbol,
      side: data.side,
      quantity: data.quantity,
      price: data.price,
      commission: data.commission,
      commission_asset: data.commission_asset,
    });
    trim(this.fills, newestFirst);
  }

  #order(event) {
    const id = Number(event.subject_id);
    const known = this.orders.get(id);
    if (known && event.id <= known.event_id) return;
    if (!known && event.kind !== "order.created") {
      this.wantsSnapshot = true; // an older order we do not show: only the server knows the rest
      return;
    }
    const { data } = event;
    const order = { ...known, id, event_id: event.id };
    if (event.kind === "order.created") {
      Object.assign(order, {
        at: event.at,
        signal_uid: event.signal_uid,
        environment: event.environment,
        strategy: data.strategy_id,
        symbol: data.symbol,
        side: data.side,
        role: data.role,
        type: data.type,
        quantity: data.quantity,
        price: data.price ?? null,
        stop_price: data.stop_price ?? null,
        executed: "0",
        average: null,
        unknown_since: null,
        continues: null,
        attempt: 0,
        goes_on_at: null,
        status: "NEW",
      });
    }
    if (data.status) order.status = data.status;
    if (data.executed_quantity !== undefined) order.executed = data.executed_quantity;
    if (data.average_price !== undefined) order.average = data.average_price;
    order.reason = data.reason ?? order.reason ?? "";
    if (event.kind === "order.not_sent") order.status = "NEW";
    if (event.kind === "order.unknown") order.unknown_since = event.at;
    else if (data.status) order.unknown_since = null;
    this.orders.set(id, order);
    trim(this.orders, (a, b) => isWorking(b) - isWorking(a) || b.id - a.id);
  }

  latestSignals() {
    return [...this.signals.values()].sort((a, b) => b.id - a.id);
  }

  latestOrders() {
    return [...this.orders.values()].sort((a, b) => b.id - a.id);
  }

  latestFills() {
    return [...this.fills.values()].sort(newestFirst);
  }

  // The entry or exit a signal led to, by the signal's uid; of an exit its last attempt.
  ordersBySignal() {
    const found = new Map();
    for (const order of this.orders.values()) {
      if (order.role !== "entry" && order.role !== "exit") continue;
      const known = found.get(order.signal_uid);
      if (!known || known.id < order.id) found.set(order.signal_uid, order);
    }
    return found;
  }
}

function newestFirst(a, b) {
  return a.at < b.at ? 1 : a.at > b.at ? -1 : 0;
}

function trim(map, order) {
  if (map.size <= KEEP * 1.5) return;
  const doomed = [...map.entries()].sort(([, a], [, b]) => order(a, b)).slice(KEEP);
  for (const [key] of doomed) map.delete(key);
}
