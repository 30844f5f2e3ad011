// Asking the agent.  The token lives in this tab's session and is sent as a header, nowhere else.

const KEY = "pgvalet.token";
let token = "";
try {
  token = sessionStorage.getItem(KEY) ?? "";
} catch {
  token = "";
}

export const hasToken = () => token !== "";

export function setToken(text) {
  token = text;
  try {
    if (text) sessionStorage.setItem(KEY, text);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Not allowed here: the token lasts as long as the page.
  }
}

// What the agent refused, or why it could not be asked (status 0).
export class ApiError extends Error {
  constructor(status, name, message) {
    super(message);
    this.status = status;
    this.name = name;
  }
}

async function ask(path, options, signal) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      ...options,
      headers,
      signal,
      cache: "no-store",
      credentials: "omit",
    });
  } catch (error) {
    if (signal?.aborted && signal.reason?.name !== "TimeoutError") throw error;
    throw new ApiError(0, "UNREACHABLE", "the agent does not answer");
  }
  let body;
  try {
    body = await response.json();
  } catch {
    throw new ApiError(
      response.status,
      "UNKNOWN",
      `the agent's answer cannot be read (HTTP ${response.status})`,
    );
  }
  if (!response.ok)
    throw new ApiError(response.status, body.error?.status ?? "UNKNOWN", body.error?.message ?? "");
  return body;
}

// Read calls answer soon or never.
export const get = (path) => ask(path, {}, AbortSignal.timeout(8000));

export const post = (path, request, signal) =>
  ask(path, { method: "POST", body: JSON.stringify(request) }, signal);
