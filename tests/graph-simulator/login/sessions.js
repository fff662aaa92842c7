'use strict';
// Who signed in, or is about to: device codes and refresh tokens (contract 1.4, 1.5).

const { LoginError } = require('./errors');
const { applyUser } = require('../engine/kinds');

const KEPT_CODES = 1000;
const KEPT_REFRESH_TOKENS = 10000;
// What a person can read out and type: no vowels, no look-alikes (RFC 8628, 6.1).
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const USER_CODE_LENGTH = 9;

function bound(map, limit) {
    if (map.size > limit)
        map.delete(map.keys().next().value);
}

class Sessions {
    constructor(sim) {
        this.sim = sim;
        this.reset();
    }

    reset() {
        this.codes = new Map();
        this.refreshTokens = new Map();
    }

    /** A code that waits for somebody to sign in with it. scopes: what was asked for. */
    begin(scopes) {
        const { sim } = this;
        const random = sim.ids.next('user-code');
        const now = sim.clock.now();
        const code = {
            deviceCode: sim.ids.opaque('device-code'),
            userCode: Array.from({ length: USER_CODE_LENGTH }, (_, i) => LETTERS[random[i] % LETTERS.length]).join(''),
            scopes, state: 'pending', user: null,
            interval: sim.settings.deviceInterval, askedAt: now,
            expiresAt: now + sim.settings.deviceExpiresIn * 1000,
        };
        this.codes.set(code.deviceCode, code);
        bound(this.codes, KEPT_CODES);
        return code;
    }

    /** What ctl approve and ctl decline are about; throws Error where nobody can sign in with it. */
    waiting(userCode) {
        const wanted = String(userCode).trim().toUpperCase();
        const code = [...this.codes.values()].find((one) => one.userCode === wanted);
        if (!code || code.state !== 'pending')
            throw new Error(`no sign-in waits with the code ${wanted}`);
        if (code.expiresAt <= this.sim.clock.now())
            throw new Error(`the code ${wanted} has expired`);
        return code;
    }

    approve(userCode, principalName) {
        const code = this.waiting(userCode);
        const missing = code.scopes.permissions.filter((name) => !this.sim.settings.consented.includes(name));
        if (missing.length)
            throw new Error(`needs admin approval: nobody has consented to ${missing.join(', ')}`);
        const user = this.person(principalName);
        if (!user.props.accountEnabled)
            throw new Error(`the account of ${user.props.userPrincipalName} is disabled`);
        Object.assign(code, { state: 'approved', user });
        return { userPrincipalName: user.props.userPrincipalName, id: user.props.id };
    }

    decline(userCode) {
        this.waiting(userCode).state = 'declined';
        return { declined: true };
    }

    /** Without a name: an operator, who is added to the directory at the first sign-in. */
    person(principalName) {
        const { store, tenant } = this.sim;
        const name = principalName || `operator@${tenant.initialDomain}`;
        if (!principalName && !store.user(name))
            applyUser(this.sim, { kind: 'member', address: name });
        const user = store.user(name);
        if (!user)
            throw new Error(`no user of the directory has the name ${name}`);
        return user;
    }

    /** RFC 8628 3.5: the interval counts from the last request, and a request before its end makes it longer. */
    poll(deviceCode) {
        const code = this.codes.get(deviceCode);
        const now = this.sim.clock.now();
        if (!code)
            throw new LoginError(70018);
        if (code.expiresAt <= now)
            throw new LoginError(70019);
        const tooSoon = now < code.askedAt + code.interval * 1000;
        code.askedAt = now;
        if (tooSoon) {
            code.interval += 5;
            throw new LoginError(70016, { error: 'slow_down', message: 'The request was made too soon. Wait longer.' });
        }
        if (code.state === 'pending')
            throw new LoginError(70016);
        this.codes.delete(deviceCode);
        if (code.state === 'declined')
            throw new LoginError(70017);
        return code;
    }

    issueRefresh(user, scopes) {
        const { sim } = this;
        const token = `0.${sim.ids.opaque('refresh')}.${sim.ids.opaque('refresh')}`;
        const expiresAt = sim.clock.now() + sim.settings.refreshExpiresIn * 1000;
        this.refreshTokens.set(token, { user, scopes, expiresAt, revoked: null });
        bound(this.refreshTokens, KEPT_REFRESH_TOKENS);
        sim.ledger.counters.refreshTokensIssued++;
        return token;
    }

    /** The session of a refresh token; throws what it is refused with. */
    redeem(token) {
        const session = this.refreshTokens.get(token);
        if (!session)
            throw new LoginError(70000);
        if (session.revoked !== null)
            throw new LoginError(session.revoked);
        if (session.expiresAt <= this.sim.clock.now())
            throw new LoginError(700082);
        if (!this.sim.store.users.withId(session.user.props.id))
            throw new LoginError(50034);
        if (!session.user.props.accountEnabled)
            throw new LoginError(50057);
        return session;
    }

    forget(token) {
        this.refreshTokens.delete(token);
    }

    /** What was given so far is refused with this number from now on; whoever signs in again is let in. */
    revoke(number) {
        for (const session of this.refreshTokens.values())
            session.revoked = number;
        return { revoked: this.refreshTokens.size };
    }
}

module.exports = { Sessions };
