'use strict';
// Many users at once: the verb seed, and look-ups among them that walk over none of the others.

const assert = require('node:assert');
const fs = require('node:fs');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Simulator } = require('../engine/simulator');
const { seedUsers } = require('../engine/seed');
const { candidates } = require('../graph/filter');
const { parseFilter } = require('../graph/filter-parser');
const { Harness } = require('./harness');

const MANY = 100000;

function lookUps(address) {
    const upn = `${address.replace('@', '_')}#EXT#@contoso.onmicrosoft.com`;
    return [`mail eq '${address}'`, `userPrincipalName eq '${upn}'`, `otherMails/any(x:x eq '${address}')`,
        `proxyAddresses/any(x:x eq 'SMTP:${address}')`, `mail in ('${address}')`,
        `identities/any(i:i/issuerAssignedId eq '${address}' and i/issuer eq 'mail')`,
        `userType eq 'Guest' and mail eq '${address.toUpperCase()}'`,
        `userPrincipalName eq '${address}' or mail eq '${address}' or otherMails/any(x:x eq '${address}')`
            + ` or proxyAddresses/any(x:x eq 'SMTP:${address}') or proxyAddresses/any(x:x eq 'smtp:${address}')`];
}

describe('seed', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const seed = (more) => sim.ctl('seed', { count: 3, kind: 'pending', domain: 'seed.example', ...more });
    const idOf = (address) => sim.ctl('show', address)[0].id;
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${sim.ready.pid}/status`, 'utf8'))[1]);

    it('addresses and ids are functions of the number, whatever was there before', async () => {
        await sim.invite('taylor@fabrikam.com');
        assert.deepStrictEqual(seed(), { added: 3 });
        const ids = [0, 1, 2].map((n) => idOf(`user${n}@seed.example`));
        assert.match(ids[2], /^5eed[0-9a-f]{4}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-000000000002$/);
        assert.strictEqual(ids[0].slice(0, 24), ids[2].slice(0, 24));
        sim.reset();
        seed({ count: 20 });
        assert.strictEqual(idOf('user2@seed.example'), ids[2]);
        assert.match(idOf('user19@seed.example'), /-000000000013$/);
    });

    it('more of them: first, prefix, domain; the same again is refused', () => {
        seed();
        assert.throws(() => seed(), /are there already/);
        assert.throws(() => seed({ first: 2 }), /are there already/);
        seed({ first: 3 });
        seed({ prefix: 'guest' });
        seed({ domain: 'other.example' });
        const addresses = ['user5@seed.example', 'guest0@seed.example', 'user0@other.example'];
        assert.strictEqual(new Set(addresses.map(idOf)).size, 3);
    });

    it('every kind, with properties of its own', async () => {
        seed({ kind: 'accepted', enabled: false, set: { city: 'Delft' }, absent: ['externalUserState'] });
        const query = '?$select=accountEnabled,city,externalUserState,creationType';
        const { json } = await sim.graph('GET', `/users/${idOf('user1@seed.example')}${query}`);
        delete json['@odata.context'];
        assert.deepStrictEqual(json, { accountEnabled: false, city: 'Delft', creationType: 'Invitation' });
    });

    it('what makes no sense is refused by name', () => {
        for (const wrong of [{ count: -1 }, { kind: 'robot' }, { kind: 'group' }, { domain: 7 }, { prefix: 'a b' },
            { first: 'x' }, { colour: 'red' }, { set: { nickname: 'x' } }])
            assert.throws(() => seed(wrong), /ctl seed: seed: /, JSON.stringify(wrong));
    });

    it('a hundred thousand, in seconds and in less than 400 MB', async () => {
        const kilobytes = memory();
        const begun = Date.now();
        seed({ count: MANY, kind: 'accepted' });
        assert.ok(Date.now() - begun < 30000, `${Date.now() - begun} ms`);
        assert.ok(memory() - kilobytes < 400000, `${memory() - kilobytes} kB`);
        const address = `user${MANY - 1}@seed.example`;
        for (const filter of lookUps(address)) {
            const { json } = await sim.filter(filter, '&$select=id,mail');
            assert.deepStrictEqual(json.value.map((user) => user.mail), [address], filter);
        }
    });

    it('an index offers one user for each way to look an address up', () => {
        const own = new Simulator({ initialDomain: 'contoso.onmicrosoft.com', tenantId: 'tenant', clientId: 'client',
            seed: '0', settings: {}, users: [], logFile: '/dev/null' });
        seedUsers(own, { count: 1000, kind: 'accepted', domain: 'seed.example' });
        for (const address of ['user7@seed.example', 'nobody@seed.example']) {
            const found = lookUps(address).map((filter) => {
                const tree = parseFilter(filter);
                if (tree.op === 'any' && tree.path === 'identities')
                    tree.identity = { issuer: 'mail', issuerAssignedId: address };
                return candidates(tree, own.store.users);
            });
            const wanted = address.startsWith('user7') ? ['user7@seed.example'] : [];
            for (const set of found)
                assert.deepStrictEqual([...set].map((user) => user.props.mail), wanted);
        }
    });

    it('an address that moved is found at its new place only', async () => {
        seed();
        sim.ctl('user', { find: 'user1@seed.example', set: { mail: 'new@seed.example', otherMails: [],
            proxyAddresses: ['SMTP:new@seed.example'] } });
        const found = async (filter) => (await sim.filter(filter)).json.value.length;
        assert.strictEqual(await found("mail eq 'user1@seed.example'"), 0);
        assert.strictEqual(await found("proxyAddresses/any(x:x eq 'SMTP:user1@seed.example')"), 0);
        assert.strictEqual(await found("mail eq 'new@seed.example'"), 1);
        assert.strictEqual(await found("otherMails/any(x:x eq 'new@seed.example')"), 0);
    });
});
