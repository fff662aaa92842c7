'use strict';
// Contract 1.2 and 1.3: assertions by the app's certificate and by another issuer.

const assert = require('node:assert');
const childProcess = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it, before, after, beforeEach } = require('node:test');
const { Harness } = require('./harness');

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

function newCertificate(directory, name, days = '1') {
    const key = path.join(directory, `${name}.key`);
    const certificate = path.join(directory, `${name}.pem`);
    childProcess.execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out',
        certificate, '-days', days, '-subj', `/CN=${name}`], { stdio: 'ignore' });
    return { key: fs.readFileSync(key, 'utf8'), pem: fs.readFileSync(certificate, 'utf8') };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function thumbprint(pem) {
    return crypto.createHash('sha256').update(new crypto.X509Certificate(pem).raw).digest('base64url');
}

function pss(key, text) {
    return crypto.sign('sha256', Buffer.from(text),
        { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString('base64url');
}

describe('assertions (contract 1.2, 1.3)', () => {
    const sim = new Harness();
    let own;
    let other;
    before(() => {
        sim.start();
        own = newCertificate(sim.dir, 'own');
        other = newCertificate(sim.dir, 'other');
    });
    after(() => sim.stop());
    beforeEach(() => {
        sim.reset();
        sim.set('certificates', [own.pem]);
    });

    function claims(changes = {}) {
        const now = Math.floor(Date.now() / 1000);
        return {
            aud: `${sim.ready.loginUrl}/${sim.ready.tenant}/oauth2/v2.0/token`, iss: sim.ready.clientId,
            sub: sim.ready.clientId, jti: crypto.randomUUID(), nbf: now, iat: now, exp: now + 600, ...changes,
        };
    }

    function signed({ header = {}, body = claims(), signer = own, sign = pss } = {}) {
        const text = `${part({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint(own.pem), ...header })}.${part(body)}`;
        return `${text}.${sign(signer.key, text)}`;
    }

    const ask = (assertion, changes = {}) => sim.askToken(sim.goodForm({
        client_secret: undefined, client_assertion_type: TYPE, client_assertion: assertion, ...changes,
    }));

    async function refused(answer, code) {
        const { status, json } = await answer;
        assert.deepStrictEqual([status >= 400, json.error_codes], [true, [code]], json.error_description);
    }

    it('1.2: a PS256 assertion gives a token that works', async () => {
        const { status, json } = await ask(signed());
        assert.strictEqual(status, 200, JSON.stringify(json));
        sim.token = json.access_token;
        assert.strictEqual((await sim.invite('taylor@fabrikam.com')).status, 201);
    });

    it('1.2: each is good once', async () => {
        const assertion = signed();
        assert.strictEqual((await ask(assertion)).status, 200);
        await refused(ask(assertion), 50013);
    });

    it('1.2: what is wrong in it', async () => {
        const now = Math.floor(Date.now() / 1000);
        await refused(ask(signed({ signer: other })), 700027);
        await refused(ask(signed({ header: { 'x5t#S256': thumbprint(other.pem) }, signer: other })), 700027);
        await refused(ask(signed({ body: claims({ aud: sim.ready.loginUrl }) })), 700023);
        await refused(ask(signed({ body: claims({ sub: '11111111-0000-0000-0000-000000000000' }) })), 700021);
        await refused(ask(signed({ body: claims({ exp: now + 601 }) })), 700024);
        await refused(ask(signed({ body: claims({ nbf: now - 600, exp: now - 1 }) })), 700024);
        await refused(ask(signed({ body: claims({ nbf: now + 60, exp: now + 120 }) })), 700024);
        await refused(ask(signed({ body: claims({ jti: '' }) })), 50013);
        await refused(ask(signed({ body: claims({ jti: undefined }) })), 50027);
        await refused(ask(signed({ body: claims({ nbf: String(now) }) })), 50027);
        await refused(ask(signed({ body: claims({ more: 1 }) })), 50027);
        await refused(ask(signed({ header: { alg: 'RS256' } })), 50027);
        await refused(ask(signed({ header: { alg: 'none' } })), 50027);
        await refused(ask(signed({ header: { kid: 'x' } })), 50027);
    });

    it('1.2: another salt, another padding and padded base64 are not PS256', async () => {
        const sign = (options) => (key, text) => crypto.sign('sha256', Buffer.from(text), { key, ...options })
            .toString('base64url');
        const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
        await refused(ask(signed({ sign: sign({ padding, saltLength: 20 }) })), 700027);
        await refused(ask(signed({ sign: sign({}) })), 700027);
        await refused(ask(`${signed()}==`), 50027);
        await refused(ask(signed().split('.').slice(0, 2).join('.')), 50027);
        await refused(ask('a.b.c'), 50027);
    });

    it('1.1: the form names the type, and has no secret besides', async () => {
        await refused(ask(signed(), { client_assertion_type: undefined }), 900144);
        await refused(ask(signed(), { client_assertion_type: 'jwt' }), 900144);
        await refused(ask(undefined), 900144);
        await refused(ask(signed(), { client_secret: sim.secret }), 7000218);
    });

    it('1.2: a certificate that is not registered, or not any more', async () => {
        sim.set('certificates', []);
        await refused(ask(signed()), 700027);
        sim.set('certificates', [own.pem]);
        sim.ctl('advance', '172800');
        await refused(ask(signed()), 700027);
    });

    // Another issuer's token.

    const issuer = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    const publicKey = issuer.publicKey.export({ type: 'spki', format: 'pem' });
    const federated = (changes = {}) => [{
        issuer: 'https://cluster.example/', subject: 'system:serviceaccount:entra:invite',
        audience: 'api://AzureADTokenExchange', publicKey, ...changes,
    }];

    function external(changes = {}, { alg = 'RS256', key = issuer.privateKey } = {}) {
        const now = Math.floor(Date.now() / 1000);
        const text = `${part({ alg, kid: 'k1' })}.${part({
            iss: 'https://cluster.example/', sub: 'system:serviceaccount:entra:invite',
            aud: 'api://AzureADTokenExchange', nbf: now, exp: now + 300, ...changes,
        })}`;
        return `${text}.${crypto.sign('sha256', Buffer.from(text), key).toString('base64url')}`;
    }

    it('1.3: a token of a federated credential, as often as it is shown', async () => {
        sim.set('federated', federated());
        const token = external();
        assert.strictEqual((await ask(token)).status, 200);
        assert.strictEqual((await ask(token)).status, 200);
    });

    it('1.3: issuer, subject and audience are compared exactly', async () => {
        await refused(ask(external()), 70021);
        sim.set('federated', federated());
        await refused(ask(external({ iss: 'https://cluster.example' })), 70021);
        await refused(ask(external({ sub: 'System:serviceaccount:entra:invite' })), 70021);
        await refused(ask(external({ aud: ['api://AzureADTokenExchange'] })), 70021);
    });

    it('1.3: RS256 by the issuer\'s key only, and within its time', async () => {
        const now = Math.floor(Date.now() / 1000);
        sim.set('federated', federated());
        await refused(ask(external({}, { alg: 'ES256' })), 50027);
        await refused(ask(external({}, { key: own.key })), 50013);
        await refused(ask(external({ exp: now - 1 })), 700024);
        await refused(ask(external({ nbf: now + 60 })), 700024);
    });

    it('settings are checked', () => {
        assert.throws(() => sim.set('certificates', ['x']), /array of certificates/);
        assert.throws(() => sim.set('federated', [{}]), /array of/);
    });
});
