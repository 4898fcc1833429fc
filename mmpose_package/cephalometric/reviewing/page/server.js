// What the page asks its own server, and nobody else.

export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

async function answered(response) {
  if (response.ok) return response;
  const content = await response.json().catch(() => ({}));
  throw new Refused(response.status, content.error || `the server answers ${response.status}`);
}

export async function ask(path, signal) {
  return (await answered(await fetch(path, { signal }))).json();
}

export async function askPicture(path, signal) {
  return (await answered(await fetch(path, { signal }))).blob();
}

export async function send(path, content) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(content),
  });
  return (await answered(response)).json();
}
