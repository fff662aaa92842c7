'use strict';
// Contract 5: disabling, deleting, restoring; contract 3: the tenant's own data; contract 2.5 and 4.1: redemption.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

const taylor = 'taylor@fabrikam.com';

describe('offboarding (contract 5)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    it('PATCH accountEnabled: 204; the narrow permission needs reading beside it', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const disable = async () => (await sim.graph('PATCH', `/users/${id}`, { accountEnabled: false })).status;
        assert.strictEqual(await disable(), 403);
        await sim.grant('User.EnableDisableAccount.All');
        assert.strictEqual(await disable(), 403);
        await sim.grant('User.EnableDisableAccount.All', 'User.Read.All');
        assert.strictEqual((await sim.graph('PATCH', `/users/${id}`, { jobTitle: 'x' })).status, 403);
        assert.strictEqual(await disable(), 204);
        assert.strictEqual((await sim.graph('GET', `/users/${id}?$select=accountEnabled`)).json.accountEnabled, false);
    });

    it('PATCH refuses unknown and read-only members', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        await sim.grant('User.ReadWrite.All');
        for (const body of [{ nickname: 'x' }, { externalUserState: 'Accepted' }, { accountEnabled: 'no' }])
            assert.strictEqual((await sim.graph('PATCH', `/users/${id}`, body)).json.error.code, 'Request_BadRequest');
        assert.strictEqual((await sim.graph('PATCH', `/users/${id}`, { companyName: 'Fabrikam' })).status, 204);
    });

    it('DELETE is soft: 204, then 404, found in deletedItems, restored with its id', async () => {
        const { id } = (await sim.invite(taylor)).json.invitedUser;
        const status = async (method, path) => (await sim.graph(method, path)).status;
        assert.strictEqual(await status('DELETE', `/users/${id}`), 403);
        await sim.grant('User.ReadWrite.All');
        assert.strictEqual(await status('DELETE', `/users/${id}`), 204);
        assert.strictEqual(await status('DELETE', `/users/${id}`), 404);
        assert.strictEqual(await status('GET', `/users/${id}`), 404);
        const deleted = (await sim.graph('GET', `/directory/deletedItems/${id}?$select=id,mail,deletedDateTime`)).json;
        assert.deepStrictEqual([deleted.id, deleted.mail], [id, taylor]);
        assert.ok(deleted.deletedDateTime);
        const filter = encodeURIComponent(`mail eq '${taylor}'`);
        const list = `/directory/deletedItems/microsoft.graph.user?$filter=${filter}`;
        assert.deepStrictEqual((await sim.graph('GET', list)).json.value.map((user) => user.id), [id]);
        const restored = await sim.graph('POST', `/directory/deletedItems/${id}/restore`);
        assert.deepStrictEqual([restored.status, restored.json.id], [200, id]);
        assert.strictEqual(await status('GET', `/users/${id}`), 200);
        assert.deepStrictEqual((await sim.graph('GET', list)).json.value, []);
    });

    it('permanent deletion, by call or after 30 days', async () => {
        await sim.grant('User.ReadWrite.All', 'User.Invite.All');
        const made = [];
        for (const address of ['a@fabrikam.com', 'b@fabrikam.com']) {
            made.push((await sim.invite(address)).json.invitedUser.id);
            await sim.graph('DELETE', `/users/${made[made.length - 1]}`);
        }
        assert.strictEqual((await sim.graph('DELETE', `/directory/deletedItems/${made[0]}`)).status, 204);
        assert.strictEqual((await sim.graph('GET', `/directory/deletedItems/${made[0]}`)).status, 404);
        sim.ctl('advance', String(31 * 86400));
        await sim.newToken();
        assert.strictEqual((await sim.graph('GET', `/directory/deletedItems/${made[1]}`)).status, 404);
    });
});

describe('tenant (contract 3)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    it('organization shows verified domains only; domains shows all', async () => {
        sim.set('domains', [
            { name: 'contoso.onmicrosoft.com', isVerified: true, isInitial: true },
            { name: 'new.example', isVerified: false },
        ]);
        const { json } = await sim.graph('GET', '/organization?$select=id,verifiedDomains');
        assert.deepStrictEqual(Object.keys(json.value[0]), ['id', 'verifiedDomains']);
        assert.strictEqual(json.value[0].id, sim.ready.tenantId);
        assert.deepStrictEqual(json.value[0].verifiedDomains.map((domain) => domain.name), ['contoso.onmicrosoft.com']);
        assert.deepStrictEqual(Object.keys(json.value[0].verifiedDomains[0]).sort(),
            ['capabilities', 'isDefault', 'isInitial', 'name', 'type']);
        assert.strictEqual((await sim.graph('GET', '/domains')).status, 403);
        await sim.grant('Domain.Read.All');
        const domains = (await sim.graph('GET', '/domains?$select=id,isVerified')).json.value;
        assert.deepStrictEqual(domains, [
            { id: 'contoso.onmicrosoft.com', isVerified: true }, { id: 'new.example', isVerified: false },
        ]);
        assert.strictEqual((await sim.graph('GET', '/organization')).status, 403);
    });

    it('2.7: authorizationPolicy needs Policy.Read.All', async () => {
        assert.strictEqual((await sim.graph('GET', '/policies/authorizationPolicy')).status, 403);
        await sim.grant('Policy.Read.All');
        sim.set('allowInvitesFrom', 'none');
        assert.strictEqual((await sim.graph('GET', '/policies/authorizationPolicy')).json.allowInvitesFrom, 'none');
    });

    it('an unknown path is refused', async () => {
        const { status, json } = await sim.graph('GET', '/groupz');
        assert.deepStrictEqual([status, json.error.code], [400, 'BadRequest']);
    });
});

describe('redemption (contract 2.5, 4.1)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const user = (id) => sim.ctl('show', id)[0];

    it('opening the URL accepts: state, time, identities; 302 to the redirect URL; an old URL works too', async () => {
        const old = (await sim.invite(taylor)).json;
        await sim.invite(taylor);
        sim.ctl('advance', '60');
        const { status, headers } = await sim.http1('GET', old.inviteRedeemUrl);
        assert.deepStrictEqual([status, headers.location], [302, 'https://myapps.microsoft.com/']);
        const guest = user(old.invitedUser.id);
        assert.strictEqual(guest.externalUserState, 'Accepted');
        assert.notStrictEqual(guest.externalUserStateChangeDateTime, guest.createdDateTime);
        assert.deepStrictEqual(guest.identities[1],
            { signInType: 'federated', issuer: 'mail', issuerAssignedId: taylor });
        const [redemption] = sim.ledger(taylor).redemptions;
        assert.deepStrictEqual([redemption.via, redemption.exact], ['url', true]);
        assert.strictEqual(redemption.guestId, old.invitedUser.id);
        assert.strictEqual((await sim.http1('GET', old.inviteRedeemUrl)).status, 302);
        assert.strictEqual(sim.ledger(taylor).redemptions.length, 1);
    });

    it('a URL that was decoded once too often has no valid ticket: an HTML page, nothing accepted', async () => {
        const { json } = await sim.invite(taylor);
        const ticket = /ticket%3d([\w-]+)/.exec(json.inviteRedeemUrl)[1];
        const other = ticket.startsWith('A') ? `B${ticket.slice(1)}` : `A${ticket.slice(1)}`;
        const wrong = [json.inviteRedeemUrl.replace(ticket, other), `${sim.ready.loginUrl}/redeem`,
            json.inviteRedeemUrl.replace('%25253d', '')];
        for (const url of wrong) {
            const { status, headers } = await sim.http1('GET', url);
            assert.strictEqual(status, 400);
            assert.match(headers['content-type'], /text\/html/);
        }
        assert.strictEqual(user(json.invitedUser.id).externalUserState, 'PendingAcceptance');
    });

    it('a deleted or disabled guest can\'t redeem', async () => {
        const { json } = await sim.invite(taylor);
        sim.ctl('user', { find: taylor, enabled: false });
        assert.strictEqual((await sim.http1('GET', json.inviteRedeemUrl)).status, 403);
        sim.ctl('user', { find: taylor, enabled: true, delete: 'soft' });
        assert.strictEqual((await sim.http1('GET', json.inviteRedeemUrl)).status, 400);
    });

    it('by control, at another provider', async () => {
        const { id } = sim.ctl('user', { kind: 'pending', address: taylor });
        sim.ctl('redeem', taylor, '--provider', 'ExternalAzureAD');
        assert.deepStrictEqual(user(id).identities[1],
            { signInType: 'federated', issuer: 'ExternalAzureAD', issuerAssignedId: null });
        assert.throws(() => sim.ctl('redeem', 'nobody@fabrikam.com'), /no guest has the address/);
    });
});
