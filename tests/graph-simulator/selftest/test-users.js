'use strict';
// Contract 3 and 4: looking users up, reading their state, paging; contract 7: replication.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

describe('users (contract 3, 4, 7)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const taylor = 'taylor@fabrikam.com';
    const EVENTUAL = { ConsistencyLevel: 'eventual' };
    const STATE = '$select=id,externalUserState,externalUserStateChangeDateTime';

    async function ids(answer) {
        const { status, json } = await answer;
        assert.strictEqual(status, 200, JSON.stringify(json));
        return json.value.map((user) => user.id);
    }

    async function refused(answer, code, part = /./) {
        const { status, json } = await answer;
        assert.deepStrictEqual([status, json.error.code], [400, code]);
        assert.match(json.error.message, part);
    }

    function bigFilter(address) {
        const a = address.replace(/'/g, "''");
        return `userPrincipalName eq '${a}' or mail eq '${a}' or otherMails/any(x:x eq '${a}')`
            + ` or proxyAddresses/any(x:x eq 'SMTP:${a}') or proxyAddresses/any(x:x eq 'smtp:${a}')`;
    }

    it('3: the big filter finds by each of its members, in any case', async () => {
        const empty = { mail: null, proxyAddresses: [] };
        const member = { kind: 'member', address: 'x@corp.example' };
        const add = (set) => sim.ctl('user', { ...member, set: { ...empty, ...set } }).id;
        const expected = {
            'A@corp.example': add({ userPrincipalName: 'a@corp.example' }),
            'b@CORP.example': add({ mail: 'b@corp.example' }),
            'c@corp.example': add({ otherMails: ['z@corp.example', 'C@corp.example'] }),
            'd@corp.example': add({ proxyAddresses: ['SMTP:d@corp.example'] }),
            'e@corp.example': add({ proxyAddresses: ['SMTP:y@corp.example', 'smtp:e@corp.example'] }),
        };
        for (const [address, id] of Object.entries(expected))
            assert.deepStrictEqual(await ids(sim.filter(bigFilter(address))), [id], address);
        assert.deepStrictEqual(await ids(sim.filter(bigFilter('nobody@corp.example'))), []);
        assert.deepStrictEqual(await ids(sim.filter("proxyAddresses/any(x:x eq 'smtp:d@corp.example')")), []);
    });

    it('3: an apostrophe is doubled, a # is %23, a + is %2B', async () => {
        const oneil = (await sim.invite("o'neil@fabrikam.com")).json.invitedUser.id;
        assert.deepStrictEqual(await ids(sim.filter("mail eq 'o''neil@fabrikam.com'")), [oneil]);
        await refused(sim.filter("mail eq 'o'neil@fabrikam.com'"), 'Request_BadRequest', /Invalid filter clause/);
        const upn = "o''neil_fabrikam.com#EXT#@contoso.onmicrosoft.com";
        assert.deepStrictEqual(await ids(sim.filter(`userPrincipalName eq '${upn}'`)), [oneil]);
        await refused(sim.graph('GET', `/users?$filter=userPrincipalName%20eq%20'a_b`), 'Request_BadRequest',
            /Invalid filter clause/);
        const plus = sim.ctl('user', { kind: 'member', address: 'a+b@corp.example' }).id;
        assert.deepStrictEqual(await ids(sim.graph('GET', "/users?$filter=mail%20eq%20'a%2Bb@corp.example'")), [plus]);
        assert.deepStrictEqual(await ids(sim.graph('GET', "/users?$filter=mail+eq+'a+b@corp.example'")), []);
        await refused(sim.graph('GET', "/users?$filter=mail%2"), 'BadRequest');
    });

    it('4.2: by id and by UPN with %23; 404 Request_ResourceNotFound', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        assert.strictEqual((await sim.graph('GET', `/users/${id.toUpperCase()}`)).json.id, id);
        const byUpn = await sim.graph('GET', '/users/taylor_fabrikam.com%23EXT%23@contoso.onmicrosoft.com?$select=id');
        assert.deepStrictEqual([byUpn.status, byUpn.json.id, byUpn.json.value], [200, id, undefined]);
        const missing = await sim.graph('GET', '/users/00000000-0000-4000-8000-000000000000');
        assert.deepStrictEqual([missing.status, missing.json.error.code], [404, 'Request_ResourceNotFound']);
    });

    it('4.1: state comes only with $select; by default eleven members', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const plain = (await sim.graph('GET', `/users/${id}`)).json;
        assert.strictEqual(plain.externalUserState, undefined);
        assert.strictEqual(Object.keys(plain).length, 12);
        const asked = (await sim.graph('GET', `/users/${id}?${STATE}`)).json;
        assert.strictEqual(asked.externalUserState, 'PendingAcceptance');
        assert.match(asked.externalUserStateChangeDateTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.strictEqual(asked.mail, undefined);
    });

    it('4.1: state of every kind; null for the self-service guest; absent if told so', async () => {
        const kinds = { 'member': null, 'pending': 'PendingAcceptance', 'accepted': 'Accepted', 'self-service': null,
            'email-verified': null, 'external-member': null, 'internal-guest': null };
        for (const [kind, state] of Object.entries(kinds)) {
            const { id } = sim.ctl('user', { kind, address: `${kind}@corp.example` });
            assert.strictEqual((await sim.graph('GET', `/users/${id}?${STATE}`)).json.externalUserState, state, kind);
        }
        sim.ctl('user', { find: 'pending@corp.example', absent: ['externalUserState'] });
        const [user] = (await sim.filter("mail eq 'pending@corp.example'", `&${STATE}`)).json.value;
        assert.deepStrictEqual(Object.keys(user), ['id', 'externalUserStateChangeDateTime']);
    });

    it('3: unknown properties are 400: signInNames is gone', async () => {
        await refused(sim.filter("signInNames/any(x:x/value eq 'a')"), 'Request_UnsupportedQuery', /signInNames/);
        await refused(sim.filter("nickname eq 'a'"), 'Request_UnsupportedQuery', /nickname/);
        await refused(sim.graph('GET', '/users?$select=id,nickname'), 'BadRequest', /nickname/);
        await refused(sim.graph('GET', '/users?$skip=1'), 'Request_UnsupportedQuery');
        await refused(sim.graph('GET', '/users?$filters=1'), 'BadRequest');
        const skills = await sim.graph('GET', '/users?$select=skills');
        assert.deepStrictEqual([skills.status, skills.json.error.code], [501, 'NotImplemented']);
    });

    it('3: identities: issuer and issuerAssignedId together, alone in the request', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const identity = `identities/any(i:i/issuerAssignedId eq '${taylor}' and i/issuer eq 'mail')`;
        assert.deepStrictEqual(await ids(sim.filter(identity)), []);
        sim.ctl('redeem', taylor);
        assert.deepStrictEqual(await ids(sim.filter(identity)), [id]);
        assert.deepStrictEqual(await ids(sim.filter(identity.replace("'mail'", "'google.com'"))), []);
        assert.deepStrictEqual(await ids(sim.filter("identities/any(i:i/issuer eq 'mail')")), [id]);
        const bad = [`identities/any(i:i/issuerAssignedId eq '${taylor}')`, "identities/any(i:i/issuer eq 'other')",
            "identities/any(i:i/signInType eq 'federated')", "identities/any(i:startsWith(i/issuer,'m'))",
            `mail eq '${taylor}' or ${identity}`];
        for (const filter of bad)
            await refused(sim.filter(filter), 'Request_UnsupportedQuery');
        const long = 'a'.repeat(65);
        await refused(sim.filter(`identities/any(i:i/issuerAssignedId eq '${long}' and i/issuer eq 'mail')`),
            'Request_BadRequest');
    });

    it('3: a local identity ignores the issuer', async () => {
        const identities = [{ signInType: 'emailAddress', issuer: sim.ready.tenant,
            issuerAssignedId: 'l@corp.example' }];
        const { id } = sim.ctl('user', { kind: 'member', address: 'l@corp.example', set: { identities } });
        const filter = "identities/any(i:i/issuerAssignedId eq 'l@corp.example' and i/issuer eq 'mail')";
        assert.deepStrictEqual(await ids(sim.filter(filter)), [id]);
    });

    it('3: advanced queries need ConsistencyLevel and $count=true, both', async () => {
        sim.ctl('user', { kind: 'member', address: 'm@corp.example' });
        await sim.invite(taylor);
        for (const filter of ["userType ne 'Guest'", "not(userType eq 'Guest')", "endsWith(mail,'corp.example')"]) {
            await refused(sim.filter(filter), 'Request_UnsupportedQuery');
            await refused(sim.filter(filter, '&$count=true'), 'Request_UnsupportedQuery');
            await refused(sim.filter(filter, '', EVENTUAL), 'Request_UnsupportedQuery');
            assert.strictEqual((await ids(sim.filter(filter, '&$count=true', EVENTUAL))).length, 1);
        }
        await refused(sim.filter("userType eq 'Guest'", '&$orderby=displayName'), 'Request_UnsupportedQuery');
    });

    it('3: $count=true without the header is ignored; /users/$count without it is 400', async () => {
        await sim.invite(taylor);
        const plain = (await sim.graph('GET', '/users?$count=true')).json;
        assert.strictEqual(plain['@odata.count'], undefined);
        const counted = (await sim.graph('GET', '/users?$count=true', undefined, EVENTUAL)).json;
        assert.strictEqual(counted['@odata.count'], 1);
        await refused(sim.graph('GET', '/users/$count'), 'Request_BadRequest');
        const count = await sim.graph('GET', '/users/$count', undefined, EVENTUAL);
        assert.deepStrictEqual([count.status, count.body], [200, '1']);
    });

    it('4.1 CONFLICT: filter on externalUserState, in the three ways that Microsoft\'s pages tell', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const filter = "externalUserState eq 'PendingAcceptance'";
        await refused(sim.filter(filter), 'Request_UnsupportedQuery');
        assert.deepStrictEqual(await ids(sim.filter(filter, '&$count=true', EVENTUAL)), [id]);
        sim.set('externalUserStateFilter', 'plain');
        assert.deepStrictEqual(await ids(sim.filter(filter)), [id]);
        sim.set('externalUserStateFilter', 'refused');
        await refused(sim.filter(filter, '&$count=true', EVENTUAL), 'Request_UnsupportedQuery');
    });

    it('3: id eq … or …, in, startsWith, and; more than 15 or-clauses are 400', async () => {
        const made = ['a', 'b', 'c'].map((name) => sim.ctl('user', { kind: 'member',
            address: `${name}@corp.example` }).id);
        assert.deepStrictEqual(await ids(sim.filter(`id eq '${made[2]}' or id eq '${made[0]}'`)), [made[0], made[2]]);
        assert.deepStrictEqual(await ids(sim.filter("mail in ('a@corp.example', 'b@corp.example')")), [made[0],
            made[1]]);
        assert.deepStrictEqual(await ids(sim.filter("startsWith(mail,'B@corp')")), [made[1]]);
        assert.deepStrictEqual(await ids(sim.filter("userType eq 'Member' and (mail eq 'c@corp.example')")), [made[2]]);
        assert.deepStrictEqual(await ids(sim.filter('accountEnabled eq false')), []);
        const clauses = (n) => Array.from({ length: n }, (_, i) => `mail eq '${i}@corp.example'`).join(' or ');
        assert.deepStrictEqual(await ids(sim.filter(clauses(15))), []);
        await refused(sim.filter(clauses(16)), 'Request_UnsupportedQuery', /Max allowed: 15/);
        sim.set('maxOrClauses', 20);
        assert.deepStrictEqual(await ids(sim.filter(clauses(16))), []);
    });

    it('4.2: pages: 100 by default, $top 1 to 999, an opaque whole nextLink', async () => {
        sim.ctl('seed', { count: 250, kind: 'pending', domain: 'seed.example' });
        let page = (await sim.graph('GET', '/users?$select=mail')).json;
        const seen = page.value.map((user) => user.mail);
        assert.strictEqual(seen.length, 100);
        while (page['@odata.nextLink']) {
            const link = page['@odata.nextLink'];
            assert.ok(link.startsWith(`${sim.ready.graphUrl}/v1.0/users?`));
            page = (await sim.http1('GET', link, { headers: { authorization: `Bearer ${sim.token}` } })).json;
            seen.push(...page.value.map((user) => user.mail));
        }
        assert.deepStrictEqual(seen, Array.from({ length: 250 }, (_, i) => `user${i}@seed.example`));
        assert.strictEqual((await sim.graph('GET', '/users?$top=999')).json.value.length, 250);
        for (const top of ['1000', '0', '-1', 'x'])
            await refused(sim.graph('GET', `/users?$top=${top}`), 'Request_UnsupportedQuery', /Invalid page size/);
        sim.set('maxTop', 120);
        await refused(sim.graph('GET', '/users?$top=999'), 'Request_UnsupportedQuery', /Invalid page size/);
    });

    it('4.2: a link that was decoded and not encoded again is refused; an unknown one too', async () => {
        sim.ctl('seed', { count: 3, kind: 'pending', domain: 'seed.example' });
        const link = (await sim.graph('GET', '/users?$top=2')).json['@odata.nextLink'];
        await refused(sim.graph('GET', decodeURIComponent(link).split('/v1.0')[1]), 'Directory_ExpiredPageToken');
        await refused(sim.graph('GET', '/users?$skiptoken=x'), 'Directory_ExpiredPageToken');
    });

    it('4.2: empty pages come; ConsistencyLevel is not carried over; the count is on page one only', async () => {
        sim.ctl('seed', { count: 3, kind: 'pending', domain: 'seed.example' });
        sim.set('emptyPages', 1);
        const first = (await sim.filter("userType ne 'Member'", '&$count=true&$top=2', EVENTUAL)).json;
        assert.deepStrictEqual([first.value.length, first['@odata.count']], [0, 3]);
        const next = first['@odata.nextLink'].split('/v1.0')[1];
        await refused(sim.graph('GET', next), 'Request_UnsupportedQuery');
        const second = (await sim.graph('GET', next, undefined, EVENTUAL)).json;
        assert.deepStrictEqual([second.value.length, second['@odata.count']], [2, undefined]);
    });

    it('3: permissions; User.ReadBasic.All gives only basic members', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        await sim.grant('User.Invite.All');
        for (const path of ['/users', `/users/${id}`, '/users/$count']) {
            const { status, json } = await sim.graph('GET', path, undefined, EVENTUAL);
            assert.deepStrictEqual([status, json.error.code], [403, 'Authorization_RequestDenied'], path);
        }
        await sim.grant('User.ReadBasic.All');
        const { json } = await sim.graph('GET', `/users/${id}?$select=id,mail,externalUserState`);
        assert.deepStrictEqual([json.id, json.mail, Object.keys(json).includes('externalUserState')], [id, taylor,
            false]);
    });

    it('7: a new guest is not found by id, nor by $filter, for a while; the clock is the simulator\'s', async () => {
        sim.set('replication', { byIdMs: 5000, filterMs: 60000 });
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const byId = async () => (await sim.graph('GET', `/users/${id}`)).status;
        const byMail = () => ids(sim.filter(`mail eq '${taylor}'`));
        assert.deepStrictEqual([await byId(), await byMail()], [404, []]);
        assert.strictEqual((await sim.invite(taylor)).json.invitedUser.id, id);
        sim.ctl('advance', '6');
        assert.deepStrictEqual([await byId(), await byMail()], [200, []]);
        sim.ctl('advance', '60');
        assert.deepStrictEqual(await byMail(), [id]);
    });

    it('7: after redemption the state reads stale for a while', async () => {
        sim.set('replication', { staleMs: 30000 });
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        sim.ctl('redeem', taylor);
        const state = async () => (await sim.graph('GET', `/users/${id}?${STATE}`)).json.externalUserState;
        assert.strictEqual(await state(), 'PendingAcceptance');
        sim.ctl('advance', '31');
        assert.strictEqual(await state(), 'Accepted');
    });

    it('8: 201 but no user ever appears', async () => {
        sim.ctl('fault', { match: { path: '/invitations$' }, action: { ghost: true } });
        const { status, json } = await sim.invite(taylor);
        assert.strictEqual(status, 201);
        sim.ctl('advance', '86400');
        await sim.newToken();
        assert.strictEqual((await sim.graph('GET', `/users/${json.invitedUser.id}`)).status, 404);
        const ledger = sim.ledger(taylor);
        assert.deepStrictEqual([ledger.guests, ledger.ghosts, ledger.users], [[], [json.invitedUser.id], []]);
    });

    it('two objects with one address are both found', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const other = sim.ctl('user', { kind: 'member', address: 'k@corp.example', set: { otherMails: [taylor] } }).id;
        assert.deepStrictEqual(await ids(sim.filter(bigFilter(taylor))), [id, other]);
    });
});
