// The live desk: reads a snapshot, then follows committed events.

import { now, setServerTime } from "./format.js";
import { Live } from "./socket.js";
import { Desk } from "./state.js";
import { Stops } from "./stops.js";
import { View } from "./view.js";

const SNAPSHOT_PAUSE_MS = 1000;
const BOOKS_PAUSE_MS = 300;
const BOOKS_EVERY_MS = 5000; // prices move without any event of ours
const PATIENCE_MS = 8000; // for one answer of the server

const options = JSON.parse(document.getElementById("desk-options").textContent);
const desk = new Desk();
const view = new View(options);
let waiting = null; // events heard while a snapshot is on its way
let isLive = false;
let lastRead = null; // when the server last answered, by its own clock
let isFailing = false;
let drawing = false;

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    view.showFeed(desk);
  });
}

async function read(path) {
  try {
    const response = await fetch(path, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.status === 401) logIn();
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    const answer = await response.json();
    setServerTime(answer.at);
    lastRead = now();
    isFailing = false;
    return answer;
  } catch (error) {
    isFailing = true;
    throw error;
  } finally {
    showAge();
  }
}

function showAge() {
  view.showAge(isFailing && lastRead ? lastRead : null);
}

function logIn() {
  location.assign(options.paths.login);
}

// One request at a time for each kind; asking meanwhile makes one more afterwards.
function reader(work, pause) {
  let running = false;
  let again = false;
  return async function ask() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await work();
    } catch (error) {
      console.warn(String(error));
      again = true;
    }
    await new Promise((done) => setTimeout(done, pause));
    running = false;
    if (again) {
      again = false;
      ask();
    }
  };
}

const readSnapshot = reader(async () => {
  waiting ??= [];
  const snapshot = await read(options.paths.snapshot);
  desk.load(snapshot);
  view.showBooks(desk.books);
  const missed = waiting;
  waiting = null;
  for (const event of missed) desk.apply(event);
  document.body.dataset.loaded = "yes";
  draw();
  followUp();
}, SNAPSHOT_PAUSE_MS);

const readBooks = reader(async () => {
  showBooks(await read(options.paths.books));
}, BOOKS_PAUSE_MS);

function showBooks(books) {
  desk.loadBooks(books);
  view.showBooks(desk.books);
  view.tick();
}

function hear(events) {
  if (waiting) {
    waiting.push(...events);
    return;
  }
  for (const event of events) desk.apply(event);
  draw();
  followUp();
}

function followUp() {
  if (desk.wantsSnapshot) readSnapshot();
  else if (desk.wantsBooks) readBooks();
}

const live = new Live(options.paths.live, {
  onState(state) {
    isLive = state === "live";
    view.showConnection(state);
    if (!isLive) readBooks(); // is it the socket alone, or the whole server?
  },
  onEvents: hear,
  onResync: readSnapshot,
  onLoggedOut: logIn,
});

setInterval(() => {
  view.tick();
  showAge();
}, 1000);
setInterval(() => {
  if (document.hidden) return;
  if (isLive) readBooks();
  else readSnapshot();
}, BOOKS_EVERY_MS);

new Stops(options, { onBooks: showBooks, say });

function say(text) {
  const box = document.getElementById("message");
  box.textContent = text;
  box.hidden = !text;
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard; // only there on https and localhost
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

for (const node of document.querySelectorAll("[data-origin]")) {
  node.textContent = node.textContent.replaceAll("http://localhost:8000", location.origin);
}

view.showConnection("connecting");
readSnapshot();
live.start();
