'use strict';
// Contract 5: members of groups; contract 7: a user who is not there yet.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

const taylor = 'taylor@fabrikam.com';

describe('groups (contract 5)', () => {
    const sim = new Harness();
    let id;
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(async () => {
        sim.reset();
        await sim.grant('User.Invite.All', 'User.Read.All', 'GroupMember.ReadWrite.All');
        id = (await sim.invite(taylor)).json.invitedUser.id;
    });

    const members = (group) => sim.ctl('group', { find: group }).members;
    const add = (group, user = id, kind = 'directoryObjects') => sim.graph('POST', `/groups/${group}/members/$ref`,
        { '@odata.id': `${sim.ready.graphUrl}/v1.0/${kind}/${user}` });
    const check = (...groupIds) => sim.graph('POST', `/users/${id}/checkMemberGroups`, { groupIds });

    it('a member is added once: 204, then 400; and is told by checkMemberGroups', async () => {
        const group = sim.ctl('group', { name: 'Partners' });
        const other = sim.ctl('group', { add: [taylor] });
        assert.deepStrictEqual((await check(group.id, other.id)).json.value, [other.id]);
        assert.strictEqual((await add(group.id)).status, 204);
        assert.deepStrictEqual(members(group.id), [id]);
        const again = await add(group.id, id, 'users');
        assert.deepStrictEqual([again.status, again.json.error.code], [400, 'Request_BadRequest']);
        assert.match(again.json.error.message, /already exist .*'members'/);
        assert.deepStrictEqual((await check(group.id, other.id, id)).json.value, [group.id, other.id]);
    });

    it('DELETE takes a member out; then 404', async () => {
        const group = sim.ctl('group', { add: [taylor] });
        const remove = async () => (await sim.graph('DELETE', `/groups/${group.id}/members/${id}/$ref`)).status;
        assert.strictEqual(await remove(), 204);
        assert.deepStrictEqual(members(group.id), []);
        assert.strictEqual(await remove(), 404);
    });

    it('an unknown group, an unknown user, one who is not replicated yet: 404', async () => {
        const group = sim.ctl('group', {});
        assert.strictEqual((await add(id)).json.error.code, 'Request_ResourceNotFound');
        assert.strictEqual((await add(group.id, group.id)).status, 404);
        sim.set('replication', { byIdMs: 60000 });
        const fresh = (await sim.invite('robin@fabrikam.com')).json.invitedUser.id;
        assert.strictEqual((await add(group.id, fresh)).status, 404);
        sim.ctl('advance', '61');
        assert.strictEqual((await add(group.id, fresh)).status, 204);
    });

    it('groups whose members are not to be changed: 400', async () => {
        for (const kind of ['dynamic', 'synced']) {
            const group = sim.ctl('group', { [kind]: true });
            assert.strictEqual((await add(group.id)).json.error.code, 'Request_BadRequest');
            assert.deepStrictEqual(members(group.id), []);
        }
    });

    it('permissions: without one 403; a role-assignable group needs another', async () => {
        const group = sim.ctl('group', { roleAssignable: true });
        assert.strictEqual((await add(group.id)).json.error.code, 'Authorization_RequestDenied');
        await sim.grant('GroupMember.ReadWrite.All', 'RoleManagement.ReadWrite.Directory');
        assert.strictEqual((await add(group.id)).status, 204);
        assert.strictEqual((await check(group.id)).status, 403);
        await sim.grant('User.Read.All');
        assert.strictEqual((await add(sim.ctl('group', {}).id)).status, 403);
        assert.strictEqual((await check(group.id)).status, 403);
    });

    it('a reference that is none, and a foreign one: 400', async () => {
        const group = sim.ctl('group', {});
        const url = `/groups/${group.id}/members/$ref`;
        for (const link of [undefined, id, `https://graph.example/v1.0/directoryObjects/${id}`])
            assert.strictEqual((await sim.graph('POST', url, { '@odata.id': link })).status, 400);
    });

    it('a soft-deleted member is not shown, and returns with the user', async () => {
        const group = sim.ctl('group', { add: [taylor] });
        sim.ctl('user', { find: taylor, delete: 'soft' });
        assert.deepStrictEqual(members(group.id), []);
        sim.ctl('user', { find: taylor, restore: true });
        assert.deepStrictEqual(members(group.id), [id]);
    });

    it('works inside a batch, and for faults it is about the user', async () => {
        const group = sim.ctl('group', {});
        sim.ctl('fault', { match: { address: taylor, path: '/members/' }, action: { status: 503 } });
        const request = {
            id: '1', method: 'POST', url: `/groups/${group.id}/members/$ref`,
            headers: { 'Content-Type': 'application/json' },
            body: { '@odata.id': `${sim.ready.graphUrl}/v1.0/directoryObjects/${id}` },
        };
        const status = async () => (await sim.graph('POST', '/$batch', { requests: [request] })).json.responses[0].status;
        assert.deepStrictEqual([await status(), await status()], [503, 204]);
        assert.deepStrictEqual(members(group.id), [id]);
    });

    it('the control verb refuses what makes no sense', () => {
        for (const request of [{ find: id }, { colour: 'red' }, { add: ['nobody@fabrikam.com'] }])
            assert.throws(() => sim.ctl('group', request));
    });
});
