'use strict';
// Contract 2.2 and 5: sponsors, with an invitation and afterwards.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

describe('sponsors (contract 2.2, 5)', () => {
    const sim = new Harness();
    const taylor = 'taylor@fabrikam.com';
    let user;
    let group;
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(async () => {
        sim.reset();
        user = sim.ctl('user', { kind: 'member', address: 'alice@contoso.example' });
        group = sim.ctl('user', { kind: 'group', address: 'owners@contoso.example' });
        await sim.grant('User.ReadWrite.All');
    });

    const url = (path) => `${sim.ready.graphUrl}/v1.0/${path}`;
    const sponsorsOf = (id) => sim.ctl('show', id)[0].sponsors || [];
    const bind = (...urls) => ({ 'invitedUserSponsors@odata.bind': urls });

    it('2.2: bound by URL, or as objects with an id; by id, not by UPN', async () => {
        for (const more of [bind(url(`users/${user.id}`), url(`groups/${group.id}`)),
            bind(url(`users/${user.id}`), url(`directoryObjects/${group.id}`)),
            { invitedUserSponsors: [{ id: user.id }, { id: group.id }] }]) {
            sim.ctl('reset', 'ledger');
            const { status, json } = await sim.invite(taylor, more);
            assert.strictEqual(status, 201);
            assert.deepStrictEqual(sponsorsOf(json.invitedUser.id), [user.id, group.id]);
        }
        const upn = url(`users/${encodeURIComponent(user.userPrincipalName)}`);
        const { status, json } = await sim.invite(taylor, bind(upn));
        assert.deepStrictEqual([status, json.error.message],
            [400, `Invalid object identifier '${user.userPrincipalName}'.`]);
        const guest = (await sim.invite(taylor)).json.invitedUser.id;
        assert.strictEqual((await sim.graph('POST', `/users/${guest}/sponsors/$ref`, { '@odata.id': upn })).status, 400);
    });

    it('2.2: sponsorsBind: refused, ignored; one who does not exist', async () => {
        const more = bind(url(`users/${user.id}`));
        sim.set('sponsorsBind', 'refused');
        const { status, json } = await sim.invite(taylor, more);
        assert.deepStrictEqual([status, json.error.code], [400, 'BadRequest']);
        assert.strictEqual(sim.ledger(taylor).guests.length, 0);
        sim.set('sponsorsBind', 'ignored');
        assert.deepStrictEqual(sponsorsOf((await sim.invite(taylor, more)).json.invitedUser.id), []);
        sim.set('sponsorsBind', 'accepted');
        assert.strictEqual((await sim.invite(taylor, bind(url(`users/${group.id}`)))).status, 404);
        assert.strictEqual((await sim.invite(taylor, bind('https://elsewhere.example/v1.0/users/1'))).status, 400);
    });

    it('5: list, add and remove, by their permissions', async () => {
        const { invitedUser: { id } } = (await sim.invite(taylor)).json;
        const add = (path) => sim.graph('POST', `/users/${id}/sponsors/$ref`, { '@odata.id': url(path) });
        assert.strictEqual((await add(`users/${user.id}`)).status, 204);
        assert.strictEqual((await add(`groups/${group.id}`)).status, 204);
        const again = await add(`users/${user.id}`);
        assert.deepStrictEqual([again.status, again.json.error.code], [400, 'Request_BadRequest']);
        assert.match(again.json.error.message, /added object references already exist/);
        assert.strictEqual((await add('users/11111111-0000-0000-0000-000000000000')).status, 404);
        const list = await sim.graph('GET', `/users/${id}/sponsors?$select=id,userPrincipalName`);
        assert.deepStrictEqual(list.json.value, [
            { '@odata.type': '#microsoft.graph.user', 'id': user.id, 'userPrincipalName': user.userPrincipalName },
            { '@odata.type': '#microsoft.graph.group', 'id': group.id },
        ]);
        assert.strictEqual((await sim.graph('DELETE', `/users/${id}/sponsors/${user.id}/$ref`)).status, 204);
        assert.deepStrictEqual(sponsorsOf(id), [group.id]);
        await sim.grant('User.Read.All', 'User.Invite.All');
        assert.strictEqual((await add(`users/${user.id}`)).status, 403);
        assert.strictEqual((await sim.graph('GET', `/users/${id}/sponsors`)).status, 200);
        await sim.grant('User.Invite.All');
        assert.strictEqual((await sim.graph('GET', `/users/${id}/sponsors`)).status, 403);
    });

    it('5: at most five', async () => {
        const { invitedUser: { id } } = (await sim.invite(taylor)).json;
        const statuses = [];
        for (const name of 'bcdefg') {
            const one = sim.ctl('user', { kind: 'member', address: `${name}@contoso.example` });
            statuses.push((await sim.graph('POST', `/users/${id}/sponsors/$ref`,
                { '@odata.id': url(`users/${one.id}`) })).status);
        }
        assert.deepStrictEqual(statuses, [204, 204, 204, 204, 204, 400]);
    });
});
