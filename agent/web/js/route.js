// The address behind '#': "#/pools/app/web?q=x&sort=-age".  It can be shared and goes back.

export function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decode);
  return { view: parts[0] ?? "", parts: parts.slice(1), params: new URLSearchParams(query ?? "") };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function link(view, ...parts) {
  return `#/${[view, ...parts].map((part) => encodeURIComponent(part)).join("/")}`;
}

// Changes parameters of the address without going anywhere.
export function remember(changes) {
  const [path, query] = location.hash.split("?");
  const params = new URLSearchParams(query ?? "");
  for (const [name, value] of Object.entries(changes)) {
    if (value) params.set(name, value);
    else params.delete(name);
  }
  const text = params.toString();
  history.replaceState(null, "", `${path || "#/"}${text ? `?${text}` : ""}`);
}
