// A subscription to which nothing comes for longer than Node keeps a silent answer (300 s): it is
// kept alive, and then still gets the next event.

import assert from 'node:assert';

import { ChatBotKit } from '@chatbotkit/sdk';

import { KEY, URL_OF_SERVER, create, run } from './kit.mjs';

/** One comes every 30 s; the eleventh is beyond the limit. */
const PINGS = 11;

await run({
  async 'a subscription that was idle for over five minutes gets the next event'() {
    const cbk = new ChatBotKit({ secret: KEY, baseUrl: URL_OF_SERVER, retries: 0 });
    const began = performance.now();
    let idle;
    let pings = 0;
    for await (const line of cbk.event.log.subscribe({ type: 'idle.x' }).stream()) {
      if (line.type === 'item') {
        assert.strictEqual(line.data.id, 'after');
        break;
      }
      assert.deepStrictEqual(line, { type: 'ping', data: {} });
      pings += 1;
      if (pings === PINGS) {
        idle = (performance.now() - began) / 1000;
        await create({ id: 'after', type: 'idle.x' });
      }
    }
    assert.ok(idle > 301, `${idle} s`);
    console.log(`idle for ${Math.round(idle)} s`);
  },
});
