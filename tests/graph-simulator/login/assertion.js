'use strict';
// A JWT in place of a secret: signed by the app's own certificate, or made by another issuer (contract 1.2, 1.3).

const crypto = require('crypto');
const { LoginError } = require('./errors');
const { fold } = require('../engine/address');

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const OWN_HEADER = ['alg', 'typ', 'x5t#S256'];
const OWN_CLAIMS = ['aud', 'exp', 'iat', 'iss', 'jti', 'nbf', 'sub'];
const LIFE_MAX = 600;
const SALT = 32;

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isText = (value) => typeof value === 'string' && value !== '';

function malformed(why) {
    return new LoginError(50027, { message: `JWT token is invalid or malformed: ${why}.` });
}

/** base64url without padding, each text the only one for its bytes (RFC 7515, 2). */
function decode(part) {
    const bytes = Buffer.from(part, 'base64url');
    if (bytes.toString('base64url') !== part)
        throw malformed('a part is not base64url');
    return bytes;
}

function decodeJson(part) {
    let value;
    try {
        value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(decode(part)));
    } catch (error) {
        throw error instanceof LoginError ? error : malformed('a part is no JSON');
    }
    if (!isObject(value))
        throw malformed('a part is no object');
    return value;
}

function parse(text) {
    const parts = text.split('.');
    if (parts.length !== 3)
        throw malformed('it has not three parts');
    return {
        header: decodeJson(parts[0]), claims: decodeJson(parts[1]), signature: decode(parts[2]),
        signed: Buffer.from(`${parts[0]}.${parts[1]}`),
    };
}

function only(object, names, what) {
    const strange = Object.keys(object).filter((name) => !names.includes(name));
    const missing = names.filter((name) => object[name] === undefined);
    if (strange.length > 0 || missing.length > 0)
        throw malformed(`${what}: ${[...strange, ...missing].join(', ')}`);
}

function checkTimes(sim, { nbf, exp }) {
    const now = sim.clock.now() / 1000;
    if (![nbf, exp].every(Number.isInteger))
        throw malformed('nbf and exp are not whole numbers');
    // A second, for clients and this clock round.
    if (nbf > now + 1 || exp <= now)
        throw new LoginError(700024);
}

function registered(sim, thumbprint) {
    for (const text of sim.settings.certificates) {
        const certificate = new crypto.X509Certificate(text);
        if (crypto.createHash('sha256').update(certificate.raw).digest('base64url') === thumbprint)
            return certificate;
    }
    throw new LoginError(700027, { message: `The certificate with identifier used to sign the client assertion is not `
        + `registered on application. [Reason - The key was not found. Thumbprint of key used by client: `
        + `'${thumbprint}'.]` });
}

function checkOwn(sim, tenant, clientId, jwt) {
    const { header, claims } = jwt;
    only(header, OWN_HEADER, 'header');
    only(claims, OWN_CLAIMS, 'claims');
    if (header.alg !== 'PS256' || header.typ !== 'JWT')
        throw malformed('it is not PS256');
    const certificate = registered(sim, header['x5t#S256']);
    const how = { key: certificate.publicKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT };
    if (!crypto.verify('sha256', jwt.signed, how, jwt.signature))
        throw new LoginError(700027, { message: 'The signature of the client assertion is not the certificate\'s. '
            + '[Reason - The provided signature value did not match the expected signature value.]' });
    const now = sim.clock.now();
    if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo))
        throw new LoginError(700027, { message: 'The certificate has expired. [Reason - The key used is expired.]' });
    if (claims.sub !== claims.iss || fold(claims.sub) !== fold(clientId))
        throw new LoginError(700021, { message: 'Client assertion application identifier doesn\'t match \'client_id\' '
            + 'parameter.' });
    if (claims.aud !== `${sim.urls.login}/${tenant}/oauth2/v2.0/token`)
        throw new LoginError(700023, { message: `Client assertion audience claim '${claims.aud}' does not match the `
            + 'token endpoint.' });
    checkTimes(sim, claims);
    if (claims.exp - claims.nbf > LIFE_MAX || !Number.isInteger(claims.iat))
        throw new LoginError(700024, { message: 'Client assertion is valid for longer than ten minutes.' });
    if (!isText(claims.jti) || sim.assertions.has(claims.jti))
        throw new LoginError(50013, { message: 'Assertion failed: its jti is missing or was used before.' });
    sim.assertions.add(claims.jti);
}

/** Every member is compared exactly; the audience is one text. */
function checkFederated(sim, jwt) {
    const { header, claims } = jwt;
    const match = sim.settings.federated.find((one) => one.issuer === claims.iss && one.subject === claims.sub
        && one.audience === claims.aud);
    if (!match)
        throw new LoginError(70021, { message: `No matching federated identity record found for presented assertion. `
            + `Assertion Issuer: '${claims.iss}'. Assertion Subject: '${claims.sub}'. Assertion Audience: `
            + `'${claims.aud}'.` });
    if (header.alg !== 'RS256')
        throw malformed('it is not RS256');
    if (!crypto.verify('sha256', jwt.signed, match.publicKey, jwt.signature))
        throw new LoginError(50013, { message: 'Assertion failed signature validation.' });
    checkTimes(sim, claims);
}

/** Throws unless the form's assertion proves that the app is who it says. */
function checkAssertion(sim, tenant, clientId, form) {
    const text = form.get('client_assertion');
    if (form.get('client_assertion_type') !== TYPE || !text)
        throw new LoginError(900144, { message: 'The request body must contain client_assertion, and '
            + `client_assertion_type must be '${TYPE}'.` });
    if (form.get('client_secret'))
        throw new LoginError(7000218, { message: 'More than one credential was presented.' });
    const jwt = parse(text);
    if (fold(String(jwt.claims.iss)) === fold(clientId))
        checkOwn(sim, tenant, clientId, jwt);
    else
        checkFederated(sim, jwt);
}

function isFederatedList(value) {
    return Array.isArray(value) && value.every((one) => isObject(one)
        && ['issuer', 'subject', 'audience', 'publicKey'].every((name) => isText(one[name])));
}

module.exports = { checkAssertion, isFederatedList };
