'use strict';
// The access tokens that were issued, and whether one is still good.

const { GraphError } = require('../graph/answers');

const KEPT_TOKENS = 10000;

function base64url(value) {
    return Buffer.from(JSON.stringify(value)).toString('base64url');
}

class Tokens {
    constructor(sim) {
        this.sim = sim;
        this.reset();
    }

    reset() {
        this.issued = new Map();
    }

    /** Shaped like a JWT with the roles claim; the client must take it as opaque. */
    issue(clientId, resource) {
        const { sim } = this;
        const seconds = Math.floor(sim.clock.now() / 1000);
        const roles = [...sim.settings.roles];
        const claims = {
            aud: resource, iss: `https://sts.windows.net/${sim.tenant.id}/`, iat: seconds, nbf: seconds,
            exp: seconds + sim.settings.tokenExpiresIn, appid: clientId, appidacr: '1', idtyp: 'app',
            oid: '77777777-8888-4999-9aaa-bbbbbbbbbbbb', tid: sim.tenant.id, uti: sim.ids.opaque('uti'), ver: '1.0',
        };
        if (roles.length)
            claims.roles = roles;
        return this.keep(claims, { roles, person: null });
    }

    /** The same for a person who signed in: the permissions are a claim of another name and form. */
    issueForPerson(clientId, resource, user, permissions) {
        const { sim } = this;
        const seconds = Math.floor(sim.clock.now() / 1000);
        return this.keep({
            aud: resource, iss: `https://sts.windows.net/${sim.tenant.id}/`, iat: seconds, nbf: seconds,
            exp: seconds + sim.settings.tokenExpiresIn, appid: clientId, appidacr: '0', idtyp: 'user',
            oid: user.props.id, upn: user.props.userPrincipalName, scp: permissions.join(' '), tid: sim.tenant.id,
            uti: sim.ids.opaque('uti'), ver: '1.0',
        }, { roles: permissions, person: user });
    }

    /** roles: application permissions, or a person's delegated ones. */
    keep(claims, { roles, person }) {
        const { sim } = this;
        const header = base64url({ typ: 'JWT', alg: 'RS256', kid: 'simulated' });
        const token = `${header}.${base64url(claims)}.${sim.ids.opaque('signature')}`;
        this.issued.set(token, { roles, person, expiresAt: sim.clock.now() + sim.settings.tokenExpiresIn * 1000 });
        if (this.issued.size > KEPT_TOKENS)
            this.issued.delete(this.issued.keys().next().value);
        sim.ledger.counters.tokensIssued++;
        return token;
    }

    expireAll() {
        for (const token of this.issued.values())
            token.expiresAt = 0;
    }

    refuse(message) {
        throw new GraphError(401, 'InvalidAuthenticationToken', message, {
            'www-authenticate': `Bearer realm="", `
                + `authorization_uri="${this.sim.urls.login}/common/oauth2/authorize", `
                + 'client_id="00000003-0000-0000-c000-000000000000"',
        });
    }

    /** The token of an Authorization header; throws Graph's 401. */
    check(header) {
        const match = /^Bearer +(\S+)$/i.exec(header || '');
        if (!match)
            this.refuse('Access token is empty.');
        const token = this.issued.get(match[1]);
        if (!token)
            this.refuse('Access token validation failure. Invalid token.');
        if (token.expiresAt <= this.sim.clock.now())
            this.refuse('Lifetime validation failed, the token is expired.');
        return token;
    }
}

module.exports = { Tokens };
