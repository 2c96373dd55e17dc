// The live socket: reconnects by itself and says which state it is in.
//   live          news flows
//   stale         connected, but the server itself hears no news
//   connecting, reconnecting

const SILENCE_MS = 8000; // the server speaks every three seconds, news or not
const LONGEST_WAIT_MS = 8000;
const NOT_LOGGED_IN = 4401;

export class Live {
  constructor(path, { onState, onEvents, onResync, onLoggedOut }) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.url = `${scheme}://${location.host}${path}`;
    this.on = { state: onState, events: onEvents, resync: onResync, loggedOut: onLoggedOut };
    this.failures = 0;
    this.state = "connecting";
    window.addEventListener("online", () => this.retryNow());
    window.addEventListener("offline", () => this.socket && this.lost(this.socket, 0));
    document.addEventListener("visibilitychange", () => document.hidden || this.retryNow());
  }

  start() {
    this.timer = null;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.addEventListener("open", () => this.listen(socket));
    socket.addEventListener("message", ({ data }) => this.hear(socket, JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => this.lost(socket, code));
  }

  listen(socket) {
    this.guard(socket);
  }

  guard(socket) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.lost(socket, 0), SILENCE_MS);
  }

  hear(socket, message) {
    if (socket !== this.socket) return;
    this.guard(socket);
    if (message.live !== undefined) this.become(message.live ? "live" : "stale");
    if (this.failures !== null) {
      this.failures = null; // the first word on this socket: whatever we knew may be old
      this.on.resync();
    } else if (message.resync) {
      this.on.resync();
    }
    if (message.events?.length) this.on.events(message.events);
  }

  lost(socket, code) {
    if (socket !== this.socket) return;
    clearTimeout(this.watchdog);
    this.socket = null;
    if (socket.readyState <= WebSocket.OPEN) socket.close();
    if (code === NOT_LOGGED_IN) {
      this.on.loggedOut();
      return;
    }
    this.become("reconnecting");
    this.failures = (this.failures ?? 0) + 1;
    const wait = Math.min(LONGEST_WAIT_MS, 400 * 2 ** Math.min(this.failures, 6));
    this.timer = setTimeout(() => this.start(), wait * (0.5 + Math.random() / 2));
  }

  retryNow() {
    if (this.timer === null || this.socket) return;
    clearTimeout(this.timer);
    this.start();
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.on.state(state);
  }
}
