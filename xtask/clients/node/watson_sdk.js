// The unmodified ibm-watson SDK for Node against a running server.
'use strict';

const assert = require('node:assert');
const { randomUUID } = require('node:crypto');
const AssistantV1 = require('ibm-watson/assistant/v1');
const AssistantV2 = require('ibm-watson/assistant/v2');
const { BasicAuthenticator, BearerTokenAuthenticator, IamAuthenticator } =
  require('ibm-watson/auth');

const URL = process.env.CONVLOG_URL;
const KEY = process.env.CONVLOG_KEY;
const basic = () => new BasicAuthenticator({ username: 'apikey', password: KEY });
const v1 = (authenticator = basic()) =>
  new AssistantV1({ version: '2021-11-27', serviceUrl: URL, authenticator });
const v2 = (authenticator = basic()) =>
  new AssistantV2({ version: '2024-08-25', serviceUrl: URL, authenticator });

/** One call of convlog's own API: the parsed answer, which must have a 2xx status. */
async function own(method, path, body) {
  const response = await fetch(URL + path, {
    method, body: body === undefined ? undefined : JSON.stringify(body),
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

/** A bot with rules and one environment: [bot, environment]. */
async function makeBot() {
  const bot = `bot-${randomUUID()}`;
  const environment = randomUUID();
  await own('PUT', `/convlog/v1/bots/${bot}`, {
    name: bot, language: 'en', environments: [{ id: environment, name: 'live' }],
    connector: {
      kind: 'rules', threshold: 0.3, anything_else: 'I did not get that.', entities: [],
      intents: [{ name: 'place_order', examples: ['two coffees please'], keywords: ['order'],
        reply: 'Coming up.' }],
    },
  });
  return [bot, environment];
}

async function refused(promise, status, text) {
  await assert.rejects(promise, (error) => {
    assert.strictEqual(error.status ?? error.code, status);
    assert.ok(error.message.includes(text), error.message);
    return true;
  });
}

const cases = {
  async 'a message is answered and listed over several pages'() {
    const [bot] = await makeBot();
    for (let i = 0; i < 9; i += 1) {
      const answer = await v1().message({ workspaceId: bot, input: { text: 'two coffees please' } });
      assert.deepStrictEqual(answer.result.output.text, ['Coming up.']);
    }
    let cursor;
    let pages = 0;
    const seen = new Set();
    do {
      const { result } = await v1().listLogs({ workspaceId: bot, pageLimit: 2, cursor });
      result.logs.forEach((log) => seen.add(log.log_id));
      cursor = result.pagination.next_cursor;
      pages += 1;
    } while (cursor);
    assert.strictEqual(seen.size, 9);
    assert.strictEqual(pages, 5);
  },

  async 'sessions keep their context and end'() {
    const [assistantId, environmentId] = await makeBot();
    const created = await v2().createSession({ assistantId, environmentId });
    assert.strictEqual(created.status, 201);
    const sessionId = created.result.session_id;
    const ids = { assistantId, environmentId, sessionId };
    await v2().message({ ...ids, input: { message_type: 'text', text: 'two coffees please' },
      context: { skills: { 'main skill': { user_defined: { name: 'Ada' } } } } });
    const { result } = await v2().message({ ...ids,
      input: { message_type: 'text', text: 'hello', options: { return_context: true } } });
    assert.strictEqual(result.context.skills['main skill'].user_defined.name, 'Ada');
    const logs = await v2().listLogs({ assistantId: environmentId, pageLimit: 1 });
    assert.strictEqual(logs.result.logs.length, 1);
    assert.ok(logs.result.pagination.next_cursor);
    await v2().deleteSession(ids);
    await refused(v2().message({ ...ids, input: { message_type: 'text', text: 'hi' } }), 404,
      'Invalid Session');
  },

  async 'streamed messages end with the final response'() {
    const [assistantId, environmentId] = await makeBot();
    const { result } = await v2().messageStreamStateless({ assistantId, environmentId,
      input: { message_type: 'text', text: 'two coffees please' } });
    let text = '';
    for await (const chunk of result) text += chunk;
    assert.ok(text.includes('"final_response"'), text);
    assert.ok(text.includes('Coming up.'), text);
  },

  async 'a customer is erased'() {
    const [bot] = await makeBot();
    const customerId = randomUUID();
    await v1().message({ workspaceId: bot, input: { text: 'two coffees please' },
      headers: { 'X-Watson-Metadata': `customer_id=${customerId}` } });
    const answer = await v2().deleteUserData({ customerId });
    assert.strictEqual(answer.status, 202);
    const { result } = await v1().listLogs({ workspaceId: bot });
    assert.deepStrictEqual(result, { logs: [], pagination: {} });
  },

  async 'errors are shown as the SDK shows them'() {
    const [bot] = await makeBot();
    await refused(v1().message({ workspaceId: bot, input: { text: 'a\tb' } }), 400, 'tab, new line');
    await refused(v1().listLogs({ workspaceId: bot, filter: 'language::en,' }), 400, 'column');
    await refused(v1().message({ workspaceId: randomUUID(), input: { text: 'hi' } }), 404,
      'Resource not found');
    const wrong = new BearerTokenAuthenticator({ bearerToken: 'WRONGWRONGWRONGW.nothing' });
    await refused(v1(wrong).listLogs({ workspaceId: bot }), 401, 'Access is denied');
  },

  async 'an IAM authenticator works against this server alone'() {
    const [bot] = await makeBot();
    const authenticator = new IamAuthenticator({ apikey: KEY, url: URL });
    const { status, headers } = await v1(authenticator).listLogs({ workspaceId: bot });
    assert.strictEqual(status, 200);
    assert.ok(headers['x-ratelimit-remaining']);
  },
};

(async () => {
  let failed = 0;
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run();
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  console.log(`${Object.keys(cases).length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
})();
