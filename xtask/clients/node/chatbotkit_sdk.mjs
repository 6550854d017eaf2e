// The unmodified @chatbotkit/sdk against a running server: every form of a call, every form of a
// request, pages under writers, streams, errors, repeats, and what survives a kill.

import assert from 'node:assert';
import { createRequire } from 'node:module';

import { ChatBotKit } from '@chatbotkit/sdk';
import { EventLogClient } from '@chatbotkit/sdk/event/log/index.js';

import { KEY, Server, URL_OF_SERVER, all, create, eventually, ids, load, multibyte, own, proxy, run }
  from './kit.mjs';

const client = (options = {}) =>
  new ChatBotKit({ secret: KEY, baseUrl: URL_OF_SERVER, retries: 0, ...options });
const log = (options) => client(options).event.log;

/** Everything by pages, until the empty one. */
async function pages(request, of = log()) {
  const found = [];
  for (let cursor; ;) {
    const page = await of.list({ ...request, ...(cursor && { cursor }) });
    if (!page.items.length) {
      assert.strictEqual(page.cursor, '');
      return found;
    }
    found.push(...page.items);
    cursor = page.cursor;
  }
}

/** The next `n` items of a subscription, which ends then. */
async function next(stream, n, seen = () => undefined) {
  const items = [];
  for await (const line of stream) {
    if (line.type !== 'item') continue;
    items.push(line.data);
    await seen(items);
    if (items.length === n) break;
  }
  return items;
}

async function refused(promise, code, message) {
  await assert.rejects(promise, (error) => {
    assert.strictEqual(error.code, code, error.stack);
    assert.strictEqual(error.message, message);
    return true;
  });
}

/** Rows of CSV as objects. */
function rows(bytes) {
  const out = [[]];
  let cell = '';
  let quoted = false;
  const characters = [...new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)];
  for (let i = 0; i < characters.length; i += 1) {
    const c = characters[i];
    if (quoted && c === '"' && characters[i + 1] === '"') { cell += c; i += 1; }
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === ',') { out.at(-1).push(cell); cell = ''; }
    else if (!quoted && c === '\n') { out.at(-1).push(cell); cell = ''; out.push([]); }
    else cell += c;
  }
  assert.deepStrictEqual(out.pop(), []);
  const names = out.shift();
  return out.map((row) => Object.fromEntries(row.map((value, i) => [names[i], value])));
}

const cases = {
  async 'the package is the one that is pinned'() {
    const { version } = createRequire(import.meta.url)('@chatbotkit/sdk/package.json');
    assert.strictEqual(version, '1.36.0');
  },

  async 'awaiting, streaming and a client of one service find the same'() {
    for (let n = 0; n < 10; n += 1) {
      await create({ id: `same-${n}`, type: 'same.x', meta: { status: n % 2 ? 'ok' : 'bad' } });
    }
    const paged = ids(await pages({ order: 'asc', take: 3, type: 'same.x' }));
    assert.strictEqual(paged.length, 10);
    const streamed = ids(await all(log().list({ order: 'asc', type: 'same.x' }).stream()));
    assert.deepStrictEqual(streamed, paged);
    const exported = ids(await all(
      log().export({ order: 'asc', meta: { status: 'ok' } }).stream()));
    assert.deepStrictEqual(exported, paged.filter((_, n) => n % 2));
    const page = await log().export({ order: 'asc', type: 'same.x', take: 2 });
    assert.deepStrictEqual(ids(page.items), paged.slice(0, 2));
    const { host } = new URL(URL_OF_SERVER);
    const one = new EventLogClient({ secret: KEY, host, protocol: 'http:', retries: 0 });
    assert.deepStrictEqual(ids(await pages({ order: 'asc', take: 4, type: 'same.x' }, one)), paged);
    const endpoints = { '/api/v1/event/log/list': '/v1/event/log/list' };
    const short = await log({ endpoints }).list({ order: 'asc', type: 'same.x' }).cache('same');
    assert.deepStrictEqual(ids(short.items), paged);
    const live = await next(log().subscribe({ historyLength: 3, type: 'same.*' }).stream(), 3);
    assert.deepStrictEqual(ids(live), paged.slice(-3));
  },

  async 'every form of a request means what it says'() {
    await load([
      { id: 'f1', type: 'form.a', botId: 'fb1', conversationId: 'fc1',
        meta: { status: 'ok', n: 1, b: true, nil: null, a: { b: 'c' } } },
      { id: 'f2', type: 'form.b', botId: 'fb1', conversationId: 'fc2',
        meta: { status: 'ok', n: 2, b: false, nil: 0, a: 'x,y' } },
      { id: 'f3', type: 'form.b', botId: 'fb2', conversationId: 'fc3',
        meta: { 'k y': 'a b&c=ž/+%', arr: ['v', 'w'], '%25': '100 %', 'ž/東?#': '😀' } },
    ]);
    const past = await proxy();
    const of = log({ baseUrl: past.url });
    const found = async (request, path) => {
      const page = await of.list({ type: 'form.*', order: 'asc', ...request });
      const asked = past.requests.pop().url;
      if (path) assert.strictEqual(asked, `/api/v1/event/log/list?type=form.*&order=asc&${path}`);
      return ids(page.items).join();
    };
    const meta = { status: 'ok', 'relations.conversationId': 'fc1', n: 1, b: true, nil: null };
    assert.strictEqual(await found({ take: 3, meta },
      'take=3&meta.status=ok&meta.relations.conversationId=fc1&meta.n=1&meta.b=true'), 'f1');
    assert.strictEqual(await found({ meta: { nil: 'null' } }), 'f1');
    assert.strictEqual(await found({ meta: { b: false } }), 'f2');
    assert.strictEqual(await found({ botId: 'fb1', conversationId: 'fc1,fc2', take: 2 },
      'botId=fb1&conversationId=fc1%2Cfc2&take=2'), 'f1,f2');
    assert.strictEqual(await found({ meta: { 'k y': 'a b&c=ž/+%', 'arr[0]': 'v' } },
      'meta.k+y=a+b%26c%3D%C5%BE%2F%2B%25&meta.arr%5B0%5D=v'), 'f3');
    assert.strictEqual(await found({ meta: { '%25': '100 %', 'ž/東?#': '😀' } }), 'f3');
    assert.strictEqual(await found({ meta: { 'arr[1]': 'v' } }), '');
    // What the client itself loses is no match, and no error.
    assert.strictEqual(await found({ meta: { a: { b: 'c' } } },
      'meta.a=%5Bobject+Object%5D'), '');
    assert.strictEqual(await found({ meta: { a: ['x', 'y'] } }, 'meta.a=x%2Cy'), 'f2');
    assert.strictEqual(await found({ cursor: '', take: 1 }, 'cursor=&take=1'), 'f1');
    assert.strictEqual(await found({ cursor: 'f1' }), 'f2,f3');
    assert.strictEqual(await found({ type: 'form.a,form.b', botId: undefined }), 'f1,f2,f3');
    assert.strictEqual(await found({ unknown: 'x', take: 0 }), 'f1,f2,f3');
    await of.list();
    const [bare] = past.requests.splice(0);
    assert.strictEqual(bare.url, '/api/v1/event/log/list');
    assert.strictEqual(bare.headers.accept, '*/*');
    await all(of.export({ order: 'asc', meta: { status: 'ok' } }).stream());
    const [streamed] = past.requests.splice(0);
    assert.strictEqual(streamed.url, '/api/v1/event/log/export?order=asc&meta.status=ok');
    assert.strictEqual(streamed.headers.accept, 'application/jsonl');
    await next(of.subscribe({ historyLength: 1 }).stream(), 1);
    const [subscribed] = past.requests.splice(0);
    assert.deepStrictEqual([subscribed.method, subscribed.url, subscribed.body],
      ['POST', '/api/v1/event/log/subscribe', '{"historyLength":1}']);
    past.close();
  },

  async 'turns of a conversation are events'() {
    const made = { name: 'Bot', language: 'en', connector: { kind: 'echo' } };
    await own('PUT', '/convlog/v1/bots/turns', made);
    const say = (words) => own('POST', '/v1/workspaces/turns/message?version=2021-11-27',
      { input: { text: words } });
    const { context } = await say('one ž😀');
    await say('two');
    const conversationId = `none,${context.conversation_id}`;
    const found = await pages({ order: 'asc', take: 1, botId: 'turns', conversationId });
    assert.deepStrictEqual(found.map(({ type, meta }) => [type, meta.type, meta.text]), [
      ['conversation.create', undefined, undefined], ['message.create', 'user', 'one ž😀'],
      ['message.create', 'bot', 'one ž😀'], ['response.time', undefined, undefined],
    ]);
    for (const item of found) {
      assert.strictEqual(item.meta.relations.botId, 'turns');
      assert.ok(Number.isInteger(item.createdAt) && item.createdAt === item.updatedAt);
    }
    const documented = { type: 'conversation.message.create', botId: 'turns', order: 'asc' };
    const said = (await pages(documented)).map((item) => item.meta.text);
    assert.deepStrictEqual(said, ['one ž😀', 'one ž😀', 'two', 'two']);
  },

  async 'the client drives a bot, and every dialect shows what was said'() {
    const cbk = client();
    const { id: botId } = await cbk.bot.create({ name: 'Shop', backstory: 'Kind', model: 'm',
      meta: { team: 'blue' } });
    // What answers is set up on our side.
    await own('PUT', `/convlog/v1/bots/${botId}`,
      { name: 'Shop', language: 'en', connector: { kind: 'echo' } });
    await cbk.bot.update(botId, { name: 'Market' });
    const bot = await cbk.bot.fetch(botId);
    assert.deepStrictEqual([bot.name, bot.backstory, bot.model], ['Market', 'Kind', 'm']);
    const bots = await cbk.bot.list({ meta: { team: 'blue' } });
    assert.deepStrictEqual(ids(bots.items), [botId]);
    assert.deepStrictEqual(ids(await all(cbk.bot.list({ meta: { team: 'blue' } }).stream())), [botId]);

    const before = await cbk.usage.fetch();
    const { id } = await cbk.conversation.create({ botId, contactId: 'k9', meta: { seat: 7 } });
    const sent = await cbk.conversation.message.create(id, { type: 'user', text: 'two ž😀' });
    assert.deepStrictEqual(sent.entities, []);
    const messages = await cbk.conversation.message.list(id);
    assert.deepStrictEqual(messages.items.map(({ type, text }) => [type, text]),
      [['user', 'two ž😀'], ['bot', 'two ž😀']]);
    assert.strictEqual(messages.items[0].id, sent.id);
    const conversation = await cbk.conversation.fetch(id);
    assert.deepStrictEqual([conversation.botId, conversation.meta.seat], [botId, 7]);
    assert.deepStrictEqual(ids((await cbk.conversation.list({ meta: { seat: 7 } })).items), [id]);

    const events = await pages({ order: 'asc', conversationId: id });
    assert.deepStrictEqual(events.map(({ type }) => type),
      ['conversation.create', 'message.create', 'message.create', 'response.time']);
    assert.ok(events.every((item) => item.botId === botId && item.contactId === 'k9'));
    const after = await cbk.usage.fetch();
    assert.deepStrictEqual([after.conversations - before.conversations,
      after.messages - before.messages], [1, 2]);
    const filter = encodeURIComponent(`response.context.conversation_id::"${id}",request.input.text:two`);
    const path = `/v1/workspaces/${botId}/logs?version=2021-11-27&filter=${filter}`;
    const { logs } = await own('GET', path);
    assert.deepStrictEqual(logs.map(({ request, response }) => [request.input.text,
      response.output.text]), [['two ž😀', ['two ž😀']]]);
    const metrics = await cbk.clientFetch('/api/v1/event/metric/list', { query: { botId } });
    assert.ok(metrics.items.length === 1 && typeof metrics.items[0].value === 'number');
    await cbk.bot.delete(botId);
    await refused(cbk.bot.fetch(botId), 'NOT_FOUND', 'Not found');
    assert.strictEqual((await pages({ conversationId: id })).length, 4, 'its events stay');
  },

  async 'pages under writers show each event once, and a walk back what was there'() {
    const acknowledged = [];
    const writers = [0, 1, 2].map(async (writer) => {
      for (let n = 0; n < 60; n += 1) {
        const id = `w-${writer}-${n}`;
        await create({ id, type: 'paged.x' });
        acknowledged.push(id);
      }
    });
    let isOver = false;
    const written = Promise.all(writers).then(() => { isOver = true; });
    const up = (async () => {
      const found = [];
      let cursor = '';
      for (let isLast = false; ;) {
        const page = await log().list({ order: 'asc', take: 7, type: 'paged.*', cursor });
        found.push(...ids(page.items));
        // Asked after the last write was answered, so that an empty page is the end.
        if (isLast && !page.items.length) return found;
        isLast = isOver;
        cursor = page.resumeCursor;
      }
    })();
    const walks = [];
    while (!isOver) {
      const before = [...acknowledged];
      walks.push([before, ids(await pages({ take: 11, type: 'paged.*' }))]);
    }
    await written;
    const found = await up;
    assert.strictEqual(found.length, 180);
    assert.strictEqual(new Set(found).size, 180);
    assert.deepStrictEqual(found, ids(await pages({ order: 'asc', take: 500, type: 'paged.*' })));
    for (const [before, walked] of walks) {
      const expected = found.slice(0, walked.length).reverse();
      assert.deepStrictEqual(walked, expected, 'exactly a prefix of the log');
      assert.ok(before.every((id) => walked.includes(id)), 'with all that was answered before');
    }
    assert.ok(walks.length > 1);
  },

  async 'streams and tables keep every character'() {
    const sent = Array.from({ length: 400 }, (_, n) => multibyte(n));
    await load(sent);
    const same = (items) => {
      assert.strictEqual(items.length, sent.length);
      items.forEach((item, n) => {
        for (const name of ['id', 'type', 'name', 'description', 'botId', 'createdAt']) {
          assert.strictEqual(item[name], sent[n][name], `${n} ${name}`);
        }
        const { relations, ...meta } = item.meta;
        assert.deepStrictEqual(relations, { botId: sent[n].botId });
        assert.deepStrictEqual(meta, sent[n].meta);
      });
    };
    const request = { order: 'asc', type: 'multi.byte' };
    same(await all(log().export(request).stream()));
    same(await all(log().list(request).stream()));
    same(await pages({ ...request, take: 130 }));
    same(await next(log().subscribe({ historyLength: 400, type: 'multi.*' }).stream(), 400));
    const table = await log({ headers: { accept: 'text/csv' } }).export(request);
    assert.strictEqual(table.headers.get('content-type'), 'text/csv');
    assert.strictEqual(table.headers.get('content-encoding'), 'gzip');
    // What a spreadsheet would run has an apostrophe before it.
    const plain = (cell) => cell.replace(/^'([=+\-@\t\r])/, '$1');
    same(rows(table.data).map((row) => ({
      ...row, name: plain(row.name), description: plain(row.description),
      createdAt: Number(row.createdAt), meta: JSON.parse(row.meta),
    })));
    assert.ok(rows(table.data).some((row) => row.name.startsWith("'=")));
  },

  async 'each event comes at once, though the client takes gzip'() {
    const past = await proxy();
    const stream = log({ baseUrl: past.url }).subscribe({ type: 'flushed' }).stream();
    const first = stream.next();
    await eventually(() => past.requests.length);
    assert.ok(past.requests[0].headers['accept-encoding'].includes('gzip'));
    for (let n = 0; n < 3; n += 1) {
      await create({ id: `flushed-${n}`, type: 'flushed' });
      const { value } = n === 0 ? await first : await stream.next();
      assert.strictEqual(value.data.id, `flushed-${n}`);
    }
    await stream.return();
    past.close();
  },

  async 'errors are shown as the SDK shows them'() {
    const nobody = 'WRONGWRONGWRONGW.nothing-0123456789-0123456789-0123456789';
    await refused(log({ secret: nobody }).list(), 'NOT_AUTHENTICATED', 'Not authenticated');
    await refused(all(log({ secret: nobody }).export().stream()), 'NOT_AUTHENTICATED',
      'Not authenticated');
    await refused(log({ runAsUserId: 'somebody' }).list(), 'NOT_AUTHENTICATED', 'Not authenticated');
    await refused(log({ runAsChildUserEmail: 'a@b.c' }).subscribe().stream().next(),
      'NOT_AUTHENTICATED', 'Not authenticated');
    await refused(log().list({ cursor: 'nobody' }), 'BAD_REQUEST',
      'cursor: is neither a cursor nor the id of an event');
    await refused(log().subscribe({ historyLength: -1 }).stream().next(), 'BAD_REQUEST',
      'historyLength: must be a whole number from 0 to 10000');
    await refused(client().clientFetch('/api/v1/event/log/nothing'), 'NOT_FOUND', 'Not found');
    await refused(client().clientFetch('/api/v1/event/log/list', { record: {} }),
      'METHOD_NOT_ALLOWED', 'this path does not know the method');
    const page = await log({ timezone: 'Europe/Prague', runAsUserId: 'default' }).list({ take: 1 });
    assert.strictEqual(page.items.length, 1);
  },

  async 'a rate limit is an error after the tries that the SDK makes, and does not last'() {
    const server = await Server.start(undefined, { CONVLOG_LIMITS_LIST_PER_MINUTE: '60' });
    await load(Array.from({ length: 5 }, (_, n) => ({ id: `r${n}`, type: 'r' })), server.url);
    const past = await proxy(() => undefined, server.url);
    const of = log({ baseUrl: past.url });
    for (;;) {
      try {
        await of.list();
      } catch (error) {
        assert.strictEqual(error.code, 'LIMITS_REACHED');
        assert.strictEqual(error.message, 'You have reached your allocated rate limits: rate/poll');
        break;
      }
    }
    const exported = await all(of.export({ type: 'r' }).stream());
    assert.strictEqual(exported.length, 5, 'exports are not counted');
    // One call a second comes back, and the SDK tries for 1.75 s.
    await log({ baseUrl: past.url, retries: 3 }).list();
    past.close();
    await server.stop();
  },

  async 'a repeated create makes one event'() {
    let failures = ['cut', 503, 502];
    const past = await proxy((request) =>
      (request.url.endsWith('/create') ? failures.shift() : undefined));
    const to = client({ baseUrl: past.url, retries: undefined, retryDelay: 10 });
    const post = (record, headers) =>
      to.clientFetch('/api/v1/event/log/create', { record, headers });
    const first = await post({ id: 'again', type: 'again.x', meta: { n: 1 } });
    assert.strictEqual(first.id, 'again');
    failures = [500, 504];
    const second = await post({ type: 'again.y' }, { 'idempotency-key': 'again-1' });
    const tries = past.requests.length;
    assert.strictEqual(tries, 4 + 3, 'the SDK did repeat');
    assert.deepStrictEqual(ids(await pages({ type: 'again.*', order: 'asc' })),
      ['again', second.id]);
    past.close();
  },

  async 'a subscription goes on after a kill, by id and by cursor, and misses nothing'() {
    let server = await Server.start();
    const of = () => log({ baseUrl: server.url });
    const event = (n) => create({ id: `k${n}`, type: 'k.x', meta: { n } }, server.url);
    for (let n = 0; n < 4; n += 1) await event(n);
    const { resumeCursor } = await of().list({ order: 'asc', type: 'k.*', take: 2 });
    const idle = await of().list({ order: 'asc', type: 'none', take: 2 });
    let last;
    const broken = next(of().subscribe({ historyLength: 2, type: 'k.*' }).stream(), 100,
      async (items) => {
        last = items.at(-1).id;
        if (items.length === 2) await event(4);
        if (items.length === 3) {
          await event(5);
          await server.kill();
        }
      });
    await assert.rejects(broken, TypeError);
    server = await Server.start(server.dir);
    const n = Number(last.slice(1));
    assert.ok(n >= 4);
    await event(6);
    const rest = (from) => [0, 1, 2, 3, 4, 5, 6].slice(from).map((k) => `k${k}`);
    const resumed = async (cursor, expected) => {
      const request = { cursor, type: 'k.*' };
      const found = await next(of().subscribe(request).stream(), expected.length);
      assert.deepStrictEqual(ids(found), expected, cursor);
    };
    await resumed(last, rest(n + 1));
    await resumed(resumeCursor, rest(2));
    await resumed(idle.resumeCursor, rest(4));
    const { items } = await of().list({ order: 'asc', type: 'k.*', cursor: last });
    assert.deepStrictEqual(ids(items), rest(n + 1));
    await server.stop();
  },

  async 'a subscription that is left gives its place back'() {
    const server = await Server.start(undefined, { CONVLOG_LIMITS_SUBSCRIPTIONS_AT_ONCE: '1' });
    await create({ id: 'one', type: 'left' }, server.url);
    const of = log({ baseUrl: server.url });
    const request = { historyLength: 1, type: 'left' };
    const held = of.subscribe(request).stream();
    await held.next();
    await refused(of.subscribe(request).stream().next(), 'LIMITS_REACHED',
      'too many subscriptions at present');
    await held.return();
    const patient = log({ baseUrl: server.url, retries: 20, retryDelay: 5 });
    assert.deepStrictEqual(ids(await next(patient.subscribe(request).stream(), 1)), ['one']);
    await server.stop();
  },
};

await run(cases);
