'use strict';
// Contract 2: POST /invitations.

const assert = require('node:assert');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

describe('invitations (contract 2)', () => {
    const sim = new Harness();
    before(() => sim.start());
    after(() => sim.stop());
    beforeEach(() => sim.reset());

    const taylor = 'taylor@fabrikam.com';

    async function refused(answer, status, code, part) {
        const { status: got, json } = await answer;
        assert.deepStrictEqual([got, json.error.code], [status, code]);
        assert.match(json.error.message, part);
        assert.ok(json.error.innerError['request-id']);
        return json.error.message;
    }

    async function state(id) {
        return (await sim.graph('GET', `/users/${id}?$select=externalUserState`)).json.externalUserState;
    }

    it('2.5: 201 with all members; message info of nulls when none was sent', async () => {
        const { status, json, headers } = await sim.invite(taylor, {}, { headers: { 'client-request-id': 'abc-1' } });
        assert.strictEqual(status, 201);
        assert.deepStrictEqual(Object.keys(json), ['@odata.context', 'id', 'inviteRedeemUrl', 'invitedUserDisplayName',
            'invitedUserType', 'invitedUserEmailAddress', 'sendInvitationMessage', 'resetRedemption',
            'inviteRedirectUrl', 'status', 'invitedUserMessageInfo', 'invitedUser']);
        assert.deepStrictEqual(json.invitedUserMessageInfo, {
            messageLanguage: null, customizedMessageBody: null,
            ccRecipients: [{ emailAddress: { name: null, address: null } }],
        });
        assert.strictEqual(json.invitedUserDisplayName, null);
        assert.strictEqual(json.status, 'PendingAcceptance');
        assert.deepStrictEqual(Object.keys(json.invitedUser), ['id']);
        assert.notStrictEqual(json.invitedUser.id, json.id);
        assert.strictEqual(headers['client-request-id'], 'abc-1');
        assert.ok(headers['request-id']);
    });

    it('2.5: the redeem URL names the invitation and is percent-encoded several times', async () => {
        const { json } = await sim.invite(taylor);
        assert.ok(json.inviteRedeemUrl.startsWith(`${sim.ready.loginUrl}/redeem?rd=https%3a%2f%2finvitations.`));
        assert.ok(json.inviteRedeemUrl.includes(`user%3d${json.id}`));
        assert.match(json.inviteRedeemUrl, /ticket%3d[\w-]+%25253d%26ver%3d2\.0$/);
    });

    it('2.2: the redirect URL comes back normalised', async () => {
        const { json } = await sim.invite(taylor, { inviteRedirectUrl: 'https://apps.contoso.example' });
        assert.strictEqual(json.inviteRedirectUrl, 'https://apps.contoso.example/');
    });

    it('2.4: guest UPN, and what a new guest looks like (4.1)', async () => {
        const { json } = await sim.invite('O\'Neil.Example@Fabrikam.com', { invitedUserDisplayName: 'O Neil' });
        const [user] = sim.ctl('show', json.invitedUser.id);
        assert.strictEqual(user.userPrincipalName, 'O\'Neil.Example_Fabrikam.com#EXT#@contoso.onmicrosoft.com');
        assert.strictEqual(user.mail, 'O\'Neil.Example@Fabrikam.com');
        assert.deepStrictEqual([user.creationType, user.userType, user.accountEnabled, user.displayName],
            ['Invitation', 'Guest', true, 'O Neil']);
        assert.deepStrictEqual(user.identities.map((identity) => identity.issuer), [sim.ready.tenant]);
        assert.deepStrictEqual(user.proxyAddresses, ['SMTP:O\'Neil.Example@Fabrikam.com']);
    });

    it('2.4: addresses that are refused', async () => {
        const local = [...'~!#$%^&*()+=[]{}\\/|;:"<>?,'].map((character) => `a${character}b@fabrikam.com`);
        const others = ['.a@fabrikam.com', 'a.@fabrikam.com', '-a@fabrikam.com', 'a-@fabrikam.com', 'a@b@fabrikam.com',
            'fabrikam.com', '@fabrikam.com', 'a@', 'a b@fabrikam.com', 'é@fabrikam.com', 'a%40fabrikam.com',
            'a@fabrikam'];
        for (const address of [...local, ...others])
            await refused(sim.invite(address), 400, 'BadRequest', /Primary SMTP Address is an invalid value/);
        assert.strictEqual((await sim.invite('_a-b.c_@fabrikam.com')).status, 201);
    });

    it('2.2: required members, types, unknown members', async () => {
        await refused(sim.graph('POST', '/invitations', { invitedUserEmailAddress: taylor }), 400, 'BadRequest',
            /inviteRedirectUrl/);
        await refused(sim.graph('POST', '/invitations', { inviteRedirectUrl: 'https://a.example/' }), 400, 'BadRequest',
            /invitedUserEmailAddress/);
        await refused(sim.invite(null), 400, 'BadRequest', /invitedUserEmailAddress/);
        await refused(sim.invite(taylor, { givenName: 'T' }), 400, 'BadRequest', /'givenName' does not exist/);
        await refused(sim.invite(taylor, { sendInvitationMessage: 'true' }), 400, 'BadRequest',
            /sendInvitationMessage/);
        await refused(sim.invite(taylor, { invitedUserType: 'Admin' }), 400, 'BadRequest', /invitedUserType/);
        await refused(sim.invite(taylor, { inviteRedirectUrl: 'myapps' }), 400, 'BadRequest', /inviteRedirectUrl/);
        await refused(sim.graph('POST', '/invitations', '{'), 400, 'BadRequest', /JSON/);
        await refused(sim.graph('POST', '/invitations', '{}', { 'content-type': 'text/plain' }), 400, 'BadRequest',
            /JSON/);
        assert.strictEqual(sim.ledger().counters.guestsCreated, 0);
    });

    it('2.3: message info is echoed; one cc; a wrong shape is accepted, ignored (8) and told', async () => {
        const cc = (address) => ({ emailAddress: { name: 'Lead', address } });
        const info = { messageLanguage: 'nl-BE', customizedMessageBody: 'Welcome',
            ccRecipients: [cc('lead@contoso.example')] };
        const good = await sim.invite(taylor, { invitedUserMessageInfo: info });
        assert.deepStrictEqual(good.json.invitedUserMessageInfo, info);
        const two = { ccRecipients: [cc('a@b.example'), cc('c@d.example')] };
        await refused(sim.invite(taylor, { invitedUserMessageInfo: two }), 400, 'BadRequest', /ccRecipients/);
        const misshapen = { body: 'x', ccRecipients: [{ address: 'a@b.example' }] };
        const wrong = await sim.invite(taylor, { invitedUserMessageInfo: misshapen });
        assert.strictEqual(wrong.status, 201);
        assert.deepStrictEqual(sim.ledger(taylor).posts.map((post) => post.ignored),
            [[], [], ['invitedUserMessageInfo.body', 'invitedUserMessageInfo.ccRecipients']]);
    });

    it('2.3: an app\'s mail has no custom body', async () => {
        await sim.invite(taylor, {
            sendInvitationMessage: true,
            invitedUserMessageInfo: { customizedMessageBody: 'Welcome', messageLanguage: 'de-DE' },
        });
        const [mail] = sim.ctl('mails');
        assert.deepStrictEqual([mail.to, mail.body, mail.language, mail.cc], [taylor, null, 'de-DE', []]);
    });

    it('2.6: pending guest: same id, a new URL each time, mail only if asked', async () => {
        const first = (await sim.invite(taylor)).json;
        const second = (await sim.invite('Taylor@Fabrikam.com', { sendInvitationMessage: true })).json;
        assert.strictEqual(second.invitedUser.id, first.invitedUser.id);
        assert.notStrictEqual(second.inviteRedeemUrl, first.inviteRedeemUrl);
        const ledger = sim.ledger(taylor);
        assert.deepStrictEqual(ledger.guests, [first.invitedUser.id]);
        assert.deepStrictEqual(ledger.posts.map((post) => post.sendInvitationMessage), [false, true]);
        assert.strictEqual(ledger.mails.length, 1);
    });

    it('2.6: accepted guest: same id, no mail, status still PendingAcceptance', async () => {
        const first = (await sim.invite(taylor)).json;
        sim.ctl('redeem', taylor);
        const second = (await sim.invite(taylor, { sendInvitationMessage: true })).json;
        assert.strictEqual(second.invitedUser.id, first.invitedUser.id);
        assert.strictEqual(second.status, 'PendingAcceptance');
        assert.deepStrictEqual(sim.ctl('mails'), []);
        assert.strictEqual(await state(first.invitedUser.id), 'Accepted');
        sim.set('acceptedStatus', 'Completed');
        assert.strictEqual((await sim.invite(taylor)).json.status, 'Completed');
    });

    it('2.6, 2.7: internal user: 400 with the object id, two wordings', async () => {
        const { id } = sim.ctl('user', { kind: 'member', address: 'kim@corp.example' });
        await refused(sim.invite('Kim@corp.example'), 400, 'BadRequest', new RegExp(`object ID: ${id}\\.`));
        sim.ctl('user', { find: id, enabled: false });
        await refused(sim.invite('kim@corp.example'), 400, 'BadRequest', new RegExp(`object ID: ${id},`));
        const { id: other } = sim.ctl('user', { kind: 'internal-guest', address: 'x@corp.example',
            set: { proxyAddresses: ['smtp:y@corp.example'] } });
        await refused(sim.invite('y@corp.example'), 400, 'BadRequest', new RegExp(other));
        sim.ctl('user', { kind: 'member', address: 'x@corp.example' });
        await refused(sim.invite('x@corp.example'), 400, 'BadRequest', /ambiguous/);
    });

    it('2.6: self-service, e-mail verified and external Member are guests already', async () => {
        for (const kind of ['self-service', 'email-verified', 'external-member']) {
            const { id } = sim.ctl('user', { kind, address: `${kind}@fabrikam.com` });
            const { status, json } = await sim.invite(`${kind}@fabrikam.com`, { sendInvitationMessage: true });
            assert.deepStrictEqual([status, json.invitedUser.id], [201, id]);
        }
        assert.deepStrictEqual(sim.ctl('mails'), []);
    });

    it('2.6: contact with the address: mail and proxyAddresses stay empty, still one guest', async () => {
        sim.ctl('user', { kind: 'contact', address: taylor });
        const { json } = await sim.invite(taylor);
        const [guest] = sim.ctl('show', json.invitedUser.id);
        assert.deepStrictEqual([guest.mail, guest.proxyAddresses, guest.otherMails], [null, [], [taylor]]);
        assert.strictEqual((await sim.invite(taylor)).json.invitedUser.id, json.invitedUser.id);
    });

    it('2.6: disabled and pending: refused; disabled and accepted: answered', async () => {
        await sim.invite(taylor);
        sim.ctl('user', { find: taylor, enabled: false });
        await refused(sim.invite(taylor), 400, 'BadRequest', /disabled/);
        sim.ctl('user', { find: taylor, state: 'Accepted' });
        assert.strictEqual((await sim.invite(taylor)).status, 201);
    });

    it('2.6: a soft-deleted guest is unknown: another guest is made', async () => {
        const first = (await sim.invite(taylor)).json.invitedUser.id;
        sim.ctl('user', { find: taylor, delete: 'soft' });
        const second = (await sim.invite(taylor)).json.invitedUser.id;
        assert.notStrictEqual(second, first);
        assert.deepStrictEqual(sim.ledger(taylor).guests, [first, second]);
    });

    it('2.7: group address, own domains, domain lists', async () => {
        sim.ctl('user', { kind: 'group', address: 'team@fabrikam.com' });
        await refused(sim.invite('team@fabrikam.com'), 400, 'BadRequest', /Group email address is not supported/);
        await refused(sim.invite('a@CONTOSO.onmicrosoft.com'), 400, 'BadRequest', /Invitee is in inviter tenant/);
        await refused(sim.invite('a@contoso.example'), 400, 'BadRequest',
            /domain of the user's email address is a verified domain of this directory/);
        sim.set('denyDomains', ['fabrikam.com']);
        await refused(sim.invite(taylor), 400, 'BadRequest', /not allowed/);
        sim.set('denyDomains', []);
        sim.set('allowDomains', ['other.example']);
        await refused(sim.invite(taylor), 400, 'BadRequest', /not allowed/);
        assert.strictEqual((await sim.invite('a@other.example')).status, 201);
    });

    it('2.7: an unverified domain is not the tenant\'s own', async () => {
        sim.set('domains', [{ name: 'fabrikam.com', isVerified: false }]);
        assert.strictEqual((await sim.invite(taylor)).status, 201);
    });

    it('2.1, 2.7: permission and policy', async () => {
        await sim.grant('User.Read.All');
        await refused(sim.invite(taylor), 403, 'Authorization_RequestDenied', /Insufficient privileges/);
        await sim.grant('User.ReadWrite.All');
        assert.strictEqual((await sim.invite(taylor)).status, 201);
        sim.set('allowInvitesFrom', 'adminsAndGuestInviters');
        await refused(sim.invite(taylor), 403, 'Forbidden', /Guest invitations not allowed for your company/);
        await sim.grant('User.Invite.All');
        assert.strictEqual((await sim.invite(taylor)).status, 201);
        sim.set('allowInvitesFrom', 'none');
        await refused(sim.invite(taylor), 403, 'Forbidden', /Guest invitations not allowed for your company/);
    });

    it('2.7: object quota', async () => {
        sim.set('objectQuota', 1);
        assert.strictEqual((await sim.invite(taylor)).status, 201);
        await refused(sim.invite('b@fabrikam.com'), 403, 'Directory_QuotaExceeded', /quota/);
    });

    it('2.1, 2.6, 2.7: reset keeps the id, needs rights and an own address', async () => {
        const { id } = sim.ctl('user', { kind: 'accepted', address: taylor });
        const reset = (address, user = { id }) => sim.invite(address, { resetRedemption: true, invitedUser: user });
        await refused(reset(taylor), 403, 'Forbidden', /Generic authorization exception/);
        await sim.grant('User.ReadWrite.All', 'User.Read.All');
        await refused(reset('new@fabrikam.com'), 400, 'BadRequest', /doesn't match any emails on the user object/);
        await refused(reset(taylor, null), 400, 'BadRequest', /invitedUser/);
        sim.ctl('user', { find: id, set: { otherMails: ['new@fabrikam.com'] } });
        const { status, json } = await reset('new@fabrikam.com');
        assert.deepStrictEqual([status, json.invitedUser.id, json.resetRedemption], [201, id, true]);
        assert.strictEqual(await state(id), 'PendingAcceptance');
        const [user] = sim.ctl('show', id);
        assert.strictEqual(user.userPrincipalName, 'taylor_fabrikam.com#EXT#@contoso.onmicrosoft.com');
        assert.strictEqual(user.identities.length, 1);
    });

    it('2.2: only create exists; GET is 404 with an HTML page (demands, fact 3)', async () => {
        const calls = [['GET', '/invitations'], ['GET', '/invitations/1'], ['DELETE', '/invitations/1']];
        for (const [method, path] of calls) {
            const { status, headers, json } = await sim.graph(method, path);
            assert.strictEqual(status, 404);
            assert.match(headers['content-type'], /text\/html/);
            assert.strictEqual(json, undefined);
        }
    });

    it('2.2: invitedUserType Member; at most 5 sponsors', async () => {
        const { json } = await sim.invite(taylor, { invitedUserType: 'Member' });
        assert.strictEqual(sim.ctl('show', json.invitedUser.id)[0].userType, 'Member');
        const add = (name) => sim.ctl('user', { kind: 'member', address: `${name}@contoso.example` }).id;
        const ids = 'abcdef'.split('').map(add);
        const urls = ids.map((id) => `${sim.ready.graphUrl}/v1.0/users/${id}`);
        const sponsors = (n) => ({ 'invitedUserSponsors@odata.bind': urls.slice(0, n) });
        assert.strictEqual((await sim.invite('b@fabrikam.com', sponsors(5))).status, 201);
        await refused(sim.invite('c@fabrikam.com', sponsors(6)), 400, 'BadRequest', /sponsors/);
        await refused(sim.invite('d@fabrikam.com', { invitedUser: { id: ids[0], mail: taylor } }), 400, 'BadRequest',
            /Only the id/);
    });

    it('2.1, 2.6: no reset of an internal user, and by an app none of who holds a directory role', async () => {
        await sim.grant('User.ReadWrite.All');
        const reset = (id) => sim.invite(taylor, { resetRedemption: true, invitedUser: { id } });
        const guest = sim.ctl('user', { kind: 'accepted', address: taylor });
        sim.ctl('user', { find: guest.id, directoryRole: true });
        await refused(reset(guest.id), 403, 'Forbidden', /Generic authorization exception/);
        sim.ctl('user', { find: guest.id, directoryRole: false });
        assert.strictEqual((await reset(guest.id)).status, 201);
        const member = sim.ctl('user', { kind: 'member', address: 'kim@contoso.example' });
        await refused(reset(member.id), 400, 'BadRequest', /internal user/);
    });
});
