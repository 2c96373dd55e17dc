// Stopping and releasing from the desk. The mild levels take one click; those that cancel or sell
// show first what they would do.

import { el } from "./dom.js";
import * as f from "./format.js";

const ACTS = ["CANCEL_OPEN", "FLATTEN"];
const TITLES = {
  CANCEL_OPEN: "Stop trading and cancel resting entries",
  FLATTEN: "Stop trading, cancel entries and sell everything",
};

export class Stops {
  // `onBooks` is given the books after a change, `say` a text for the person.
  constructor(options, { onBooks, say }) {
    this.paths = options.paths;
    this.onBooks = onBooks;
    this.say = say;
    this.form = document.getElementById("stop-form");
    this.dialog = document.getElementById("stop-dialog");
    for (const button of document.querySelectorAll("[data-needs-script]")) button.disabled = false;
    this.form?.addEventListener("submit", (event) => this.#stop(event));
    document.getElementById("trading-states").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-release]");
      if (button) this.#askRelease(button.dataset.release, button.dataset.words);
    });
    this.dialog.addEventListener("click", (event) => {
      if (event.target.closest("[data-cancel]")) this.dialog.close();
    });
  }

  async #stop(event) {
    event.preventDefault();
    const mode = event.submitter?.value ?? "HALTED";
    if (ACTS.includes(mode)) await this.#askWithPlan(mode);
    else await this.#send(this.form.action, new FormData(this.form, event.submitter), "stopped");
  }

  async #askWithPlan(mode) {
    let plan;
    try {
      plan = await answerOf(
        await fetch(`${this.paths.plan}?mode=${mode}`, { headers: { Accept: "application/json" } }),
      );
    } catch (error) {
      this.say(`Trading was NOT stopped, the plan could not be read: ${error.message}`);
      return;
    }
    const act = mode === "FLATTEN" ? "Flatten now" : "Cancel them now";
    this.#open(TITLES[mode], planned(plan), act, "Why (kept on record)", (reason) => {
      const body = new FormData(this.form);
      body.set("mode", mode);
      body.set("reason", reason);
      return this.#send(this.form.action, body, "stopped");
    });
  }

  #askRelease(id, words) {
    const title = "Let trading go on";
    this.#open(title, [el("p", {}, words)], "Release", "Why trading may go on", (reason) => {
      const body = new FormData();
      body.set("csrfmiddlewaretoken", token());
      body.set("state", id);
      body.set("reason", reason);
      return this.#send(this.paths.release, body, "released");
    });
  }

  #open(title, content, act, label, run) {
    const reason = el("input", { name: "reason", required: true, maxlength: 500, "aria-label": label, placeholder: label });
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "stop-dialog-title" }, title),
      el("div", { class: "plan" }, ...content),
      reason,
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "button", class: "secondary", "data-cancel": true }, "Back"),
        el("button", { class: "danger" }, act),
      ),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!reason.value.trim()) return;
      for (const button of form.querySelectorAll("button")) button.disabled = true;
      await run(reason.value.trim());
      this.dialog.close();
    });
    this.dialog.replaceChildren(form);
    this.dialog.showModal();
    reason.focus();
  }

  async #send(path, body, word) {
    const buttons = this.form?.querySelectorAll("button") ?? [];
    for (const button of buttons) button.disabled = true;
    try {
      const answer = await answerOf(
        await fetch(path, { method: "POST", body, headers: { Accept: "application/json" } }),
      );
      this.onBooks(answer);
      this.say(answer.said ?? "");
    } catch (error) {
      this.say(`Trading was NOT ${word}: ${error.message}`);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }
}

async function answerOf(response) {
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? `the server answered ${response.status}`);
  return answer;
}

function token() {
  return document.querySelector("[name=csrfmiddlewaretoken]").value;
}

function planned({ cancels, closes, too_small: tooSmall }) {
  const lists = [
    list("Entries to cancel", cancels, (o) =>
      `${o.side} ${f.quantity(o.quantity)} ${o.symbol}${o.price ? ` at ${f.price(o.price)}` : ""}, ${o.account}`,
    ),
    list("Positions to sell at market", closes, (p) =>
      `${f.quantity(p.quantity)} ${p.symbol}, bought at ${f.price(p.average_entry_price)}, ${p.account}`,
    ),
    list("Too small for the venue, stays", tooSmall, (p) => `${f.quantity(p.quantity)} ${p.symbol}, ${p.account}`),
  ].filter(Boolean);
  if (!cancels.length && !closes.length) {
    lists.unshift(el("p", {}, "Nothing is at rest or held now: it would only let nothing new in."));
  }
  return lists;
}

function list(title, rows, words) {
  if (!rows.length) return null;
  return el(
    "section",
    {},
    el("h3", {}, `${title} (${rows.length})`),
    el("ul", {}, ...rows.map((row) => el("li", {}, words(row)))),
  );
}
