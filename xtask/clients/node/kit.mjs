// What the scripts of ChatBotKit's SDK share: convlog's own API by hand, servers of a script's own,
// a proxy that fails on purpose, and a runner of named cases.

import assert from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

export const URL_OF_SERVER = process.env.CONVLOG_URL;
export const KEY = process.env.CONVLOG_KEY;

/** One call by hand: the parsed answer, which must have a 2xx status. */
export async function own(method, path, body, url = URL_OF_SERVER) {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const answer = await fetch(url + path, {
    method, body: text,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** Keeps one event. */
export const create = (event, url) => own('POST', '/api/v1/event/log/create', event, url);

/** Keeps many events at once. */
export async function load(events, url) {
  const lines = events.map((event) => JSON.stringify(event)).join('\n');
  const counts = await own('POST', '/convlog/v1/records?dialect=chatbotkit', lines, url);
  assert.strictEqual(counts.accepted, events.length, JSON.stringify(counts));
}

/** All items of a stream. */
export async function all(stream) {
  const items = [];
  for await (const line of stream) {
    assert.strictEqual(line.type, 'item', JSON.stringify(line));
    items.push(line.data);
  }
  return items;
}

export const ids = (items) => items.map((item) => item.id);

/** A text of every kind of character that a stream may break: quotes, controls, separators of
 * lines and characters of two, three and four bytes. */
export function text(number, length) {
  const alphabet = ['a', '"', '\\', '\n', '\t', 'ž', 'ß', '\u0085', '\u2028', '\u2029', '東', '京',
    '😀', '👩‍🚀', '\u00a0', '\ufeff', '=', ','];
  let out = '';
  for (let i = 0; out.length < length; i += 1) out += alphabet[(number * 7 + i * i) % alphabet.length];
  return out;
}

/** An event that tells everything, the same for the same number. */
export function multibyte(number) {
  return {
    id: `multi-${String(number).padStart(4, '0')}`, type: 'multi.byte', name: text(number, 20),
    description: text(number + 1, 200), botId: `bot 😀${'=ž東\u2028'.slice(number % 4)}`,
    meta: { [text(number, 5)]: text(number + 2, 1500), list: [text(number, 9), { deep: '\u2028' }] },
    createdAt: 1_760_000_000_000 + number,
  };
}

/** A server of the script's own, which it may kill. */
export class Server {
  static async start(dir = mkdtempSync('server-'), variables = {}) {
    const child = spawn(process.env.CONVLOG_BIN,
      ['serve', '--data-dir', dir, '--listen', '127.0.0.1:0'], {
        env: { PATH: process.env.PATH, CONVLOG_ADMIN_KEY: KEY, ...variables },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    // Also when a case fails on the way.
    process.on('exit', () => child.kill('SIGKILL'));
    const server = new Server();
    Object.assign(server, { dir, child, end: once(child, 'exit') });
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('listening on ')) {
        server.url = line.slice('listening on '.length);
        child.stdout.resume();
        return server;
      }
    }
    throw new Error('the server ended before its ready line');
  }

  /** Ends it as a power cut would, as far as a process can. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.end;
  }

  /** Asks for a clean end. */
  async stop() {
    this.child.kill('SIGTERM');
    const [status] = await this.end;
    assert.strictEqual(status, 0);
  }
}

/** Stands between a client and the server. `answer` is called with each request, the number of the
 * try and the server's answer, and returns a status to give instead, `cut` to break off, or
 * nothing. All requests are kept. */
export async function proxy(answer = () => undefined, url = URL_OF_SERVER) {
  const requests = [];
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    requests.push({ method: request.method, url: request.url, body: body.toString(),
      headers: request.headers });
    const inner = http.request(url + request.url,
      { method: request.method, headers: request.headers }, (got) => {
        const instead = answer(request, requests.length, got);
        if (instead === 'cut') {
          got.resume();
          request.socket.destroy();
        } else if (instead) {
          got.resume();
          response.writeHead(instead, { 'content-type': 'text/plain' }).end('not now');
        } else {
          response.writeHead(got.statusCode, got.headers);
          got.pipe(response);
        }
      });
    inner.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, requests,
    close: () => { server.close(); server.closeAllConnections(); } };
}

/** Looks again and again until there is something to see. */
export async function eventually(look) {
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    await pause(5);
  }
}

/** Runs every case, prints one line each and a closing line, and sets the exit status. */
export async function run(cases) {
  let failed = 0;
  for (const [name, one] of Object.entries(cases)) {
    try {
      await one();
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  const count = Object.keys(cases).length;
  console.log(`${count - failed} passed, ${failed} failed`);
  // Streams that a failed case has left open must not keep the process.
  process.exit(failed || count === 0 ? 1 : 0);
}
