// Numbers as people read them, always with their unit.  64-bit numbers arrive as texts.

export const num = (value) => Number(value ?? 0);

const trim = (text) => text.replace(/\.0$/, "");

function short(value, units, step) {
  let rest = value;
  let unit = 0;
  while (Math.abs(rest) >= (unit === 0 ? step * 10 : step) && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(rest) >= 100 ? 0 : 1;
  return [trim(rest.toFixed(digits)), units[unit]];
}

// 0, 9,999, 12.3k, 1.2M
export function count(value) {
  const number = num(value);
  if (Math.abs(number) < 10000) return Math.round(number).toLocaleString("en");
  const [text, unit] = short(number, ["", "k", "M", "G", "T"], 1000);
  return text + unit;
}

// Per second: 0, 0.4, 12.3, 456, 12.3k
export function rate(value) {
  const number = num(value);
  if (number === 0) return "0";
  if (number < 0.05) return "<0.1";
  if (number < 100) return trim(number.toFixed(1));
  return count(number);
}

// 0 B, 1.2 kB, 34 MB; steps of 1024, as PostgreSQL counts
export function bytes(value) {
  let rest = num(value);
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${rest.toFixed(unit === 0 || rest >= 100 ? 0 : 1)} ${units[unit]}`;
}

// 0, 850 µs, 1.2 ms, 2.5 s, 3 min 10 s, 2 h 5 min, 3 d 4 h
export function elapsed(us) {
  const value = num(us);
  if (value <= 0) return "0 s";
  if (value < 1000) return `${Math.round(value)} µs`;
  if (value < 999.5e3) return `${trim((value / 1e3).toFixed(value < 1e5 ? 1 : 0))} ms`;
  const seconds = value / 1e6;
  if (seconds < 60) return `${trim(seconds.toFixed(seconds < 9.95 ? 1 : 0))} s`;
  const whole = Math.floor(seconds);
  const [size, unit, part, partUnit] =
    whole < 3600
      ? [60, "min", 1, "s"]
      : whole < 86400
        ? [3600, "h", 60, "min"]
        : [86400, "d", 3600, "h"];
  const rest = Math.floor((whole % size) / part);
  return `${Math.floor(whole / size)} ${unit}${rest ? ` ${rest} ${partUnit}` : ""}`;
}

export function percent(share) {
  const value = num(share) * 100;
  if (value === 0) return "0 %";
  if (value < 1) return "<1 %";
  return `${value.toFixed(value < 10 ? 1 : 0)} %`;
}

// Milliseconds since 1970 of a time in an answer; 0: absent.
export const moment = (text) => (text ? Date.parse(text) : 0);

export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}

// "2026-11-21 08:15:30", local time
export function date(text) {
  const at = new Date(moment(text));
  if (!moment(text)) return "–";
  const two = (n) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(at.getTime())}`;
}

// "3 clients", "1 client"
export function many(value, noun) {
  return `${count(value)} ${noun}${num(value) === 1 ? "" : "s"}`;
}
