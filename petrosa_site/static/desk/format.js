// Numbers and times as people read them. Decimals arrive as strings and are never computed with.

const formats = new Map();
let skew = 0; // the server's clock less ours, in milliseconds

function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat("en-US", options));
  return formats.get(key);
}

export function quantity(text) {
  return text == null ? "–" : format({ maximumFractionDigits: 8 }).format(text);
}

export function price(text) {
  if (text == null) return "–";
  const size = Math.abs(Number(text));
  const most = size >= 100 ? 2 : size >= 1 ? 4 : 8;
  const least = size >= 1 ? 2 : 4;
  return format({ minimumFractionDigits: least, maximumFractionDigits: most }).format(text);
}

export function money(text) {
  if (text == null) return "–";
  return format({ minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(text);
}

export function gain(text) {
  if (text == null) return "–";
  return format({
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
    signDisplay: "exceptZero",
  }).format(text);
}

export function share(text) {
  return text == null ? "–" : format({ style: "percent", maximumFractionDigits: 0 }).format(text);
}

export function percent(text) {
  return text == null ? "–" : `${format({ maximumFractionDigits: 2 }).format(text)} %`;
}

// Minutes and seconds until a moment; 0:00 once it has passed.
export function countdown(iso) {
  const left = Math.max(0, Math.ceil((Date.parse(iso) - now()) / 1000));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

export function words(text) {
  return String(text ?? "").replaceAll("_", " ").toLowerCase();
}

export function setServerTime(iso) {
  skew = Date.parse(iso) - Date.now();
}

export function now() {
  return Date.now() + skew;
}

export function secondsSince(iso) {
  return Math.max(0, Math.floor((now() - Date.parse(iso)) / 1000));
}

export function span(seconds) {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

export function ago(iso) {
  const seconds = secondsSince(iso);
  return seconds < 2 ? "now" : span(seconds);
}

export function exact(iso) {
  const [day, rest] = new Date(iso).toISOString().split("T");
  return `${day} ${rest.replace("Z", "")} UTC`;
}

export function clock(moment = now()) {
  return new Date(moment).toISOString().slice(11, 19);
}
