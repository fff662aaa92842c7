'use strict';
// A long run: what the simulator remembers of requests does not grow without bound, and ids stay unique.

const assert = require('node:assert');
const { describe, it } = require('node:test');
const { Clock } = require('../engine/clock');
const { Ids } = require('../engine/ids');
const { Ledger } = require('../engine/ledger');
const { Simulator } = require('../engine/simulator');

const MANY = 450000;
const KEPT = 100000;
const KEPT_POSTS = 200000;

function record(n) {
    return { n, method: 'POST', template: '/v1.0/invitations', path: '/v1.0/invitations', batch: null, answered: null,
        status: 201 };
}

function simulator() {
    return new Simulator({ initialDomain: 'contoso.onmicrosoft.com', tenantId: 'tenant', clientId: 'client', seed: '0',
        settings: {}, users: [], logFile: '/dev/null' });
}

describe('bounds', () => {
    it('requests, POSTs, mails: the newest are kept, all are counted', () => {
        const ledger = new Ledger(new Clock());
        for (let n = 0; n < MANY; n++) {
            const request = ledger.arrived(record(n));
            ledger.post(request, n % 2 ? 'a@x.example' : `u${n}@x.example`, {});
            ledger.mailed({ n, to: 'a@x.example' });
            ledger.closed(request, 'yes');
        }
        const { requests, counters, addresses } = ledger;
        assert.ok(requests.length > KEPT * 0.9 && requests.length <= KEPT, `${requests.length}`);
        assert.strictEqual(requests.at(-1).n, MANY);
        const posts = [...addresses.values()].reduce((sum, entry) => sum + entry.posts.length, 0);
        assert.ok(posts > KEPT_POSTS * 0.9 && posts <= KEPT_POSTS, `${posts}`);
        assert.strictEqual(ledger.showEntry('a@x.example').posts.at(-1).n, MANY);
        assert.strictEqual(ledger.showEntry('u0@x.example').posts.length, 0);
        const { mails } = ledger.showEntry('a@x.example');
        assert.ok(mails.length <= KEPT_POSTS && mails.at(-1).n === MANY - 1);
        assert.deepStrictEqual([counters.requests, counters.mails, counters.byStatus[201]], [MANY, MANY, MANY]);
    });

    it('connections: the oldest closed ones go, an open one never', () => {
        const ledger = new Ledger(new Clock());
        const open = ledger.connectionOpened(0, 'h2');
        for (let id = 1; id < MANY; id++)
            ledger.connectionClosed(ledger.connectionOpened(id, 'h2'));
        assert.ok(ledger.connections.size <= KEPT);
        assert.strictEqual(ledger.connections.get(0), open);
        assert.ok(ledger.connections.has(MANY - 1));
        assert.strictEqual(ledger.counters.connections, MANY);
    });

    it('tokens, and links to one guest', () => {
        const sim = simulator();
        const first = sim.tokens.issue('client', 'graph');
        const tokens = Array.from({ length: 11000 }, () => sim.tokens.issue('client', 'graph'));
        assert.ok(sim.tokens.issued.size <= 10001);
        assert.throws(() => sim.tokens.check(`Bearer ${first}`), /Invalid token/);
        assert.ok(sim.tokens.check(`Bearer ${tokens.at(-1)}`));
        const guest = {};
        for (let n = 0; n < 3000; n++)
            sim.store.addInvitation({ ticket: String(n), guest, address: 'a@x.example' });
        assert.deepStrictEqual([sim.store.invitations.size, sim.store.invitations.has('1999'),
            sim.store.invitations.has('2000')], [1000, false, true]);
    });

    it('ids: unique over a million, the same for the same seed, well formed', () => {
        const ids = new Ids('0');
        const seen = new Set();
        for (let n = 0; n < 1000000; n++)
            seen.add(ids.guid('user'));
        assert.strictEqual(seen.size, 1000000);
        const [first] = seen;
        assert.match(first, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.strictEqual(new Ids('0').guid('user'), first);
        const others = [new Ids('1').guid('user'), new Ids('0').guid('request'), new Ids('').guid('0user')];
        assert.strictEqual(new Set([first, ...others]).size, 4);
        assert.match(ids.opaque('ticket'), /^[\w-]{43}$/);
        assert.notStrictEqual(ids.opaque('ticket'), ids.opaque('ticket'));
    });

    it('the order of a batch is random, and the same for the same seed', () => {
        const items = Array.from({ length: 20 }, (_, n) => n);
        const orders = [simulator(), simulator()].map((sim) => [sim.shuffled(items), sim.shuffled(items)]);
        assert.deepStrictEqual(orders[0], orders[1]);
        assert.notDeepStrictEqual(orders[0][0], orders[0][1]);
        assert.deepStrictEqual([...orders[0][0]].sort((a, b) => a - b), items);
    });
});
