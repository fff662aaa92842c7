'use strict';
// Which handler answers which method and path, and what all Graph calls have in common.

const batch = require('../graph/batch');
const deleted = require('../graph/deleted');
const { delta } = require('../graph/delta');
const groups = require('../graph/groups');
const invitations = require('../graph/invitations');
const sponsors = require('../graph/sponsors');
const tenant = require('../graph/tenant');
const users = require('../graph/users');
const identity = require('../login/identity');
const login = require('../login/login');
const person = require('../login/person');
const redeem = require('../login/redeem');
const { GraphError, unknownSegment, errorAnswer, htmlPage } = require('../graph/answers');
const { LoginError, loginErrorAnswer } = require('../login/errors');
const { fold } = require('./address');

const GRAPH = '/v1.0/';
const BATCH = '/v1.0/$batch';
// The function's short and full name, as people and as generated clients call it.
const DELTA = ['delta', 'delta()', 'microsoft.graph.delta', 'microsoft.graph.delta()'];

// Templates in order; {x} takes one segment. The first that fits is taken.
const ROUTES = [
    ['POST', '/{tenant}/oauth2/v2.0/token', person.token],
    ['POST', '/{tenant}/oauth2/v2.0/devicecode', person.deviceCode],
    ['GET', '/{tenant}/v2.0/.well-known/openid-configuration', login.metadata],
    ['GET', '/redeem', redeem.openUrl],
    ['POST', '/v1.0/invitations', invitations.create],
    ['*', '/v1.0/invitations', invitations.refuse],
    ['*', '/v1.0/invitations/{id}', invitations.refuse],
    ['POST', BATCH, batch.post],
    ['GET', '/v1.0/users', users.list],
    ['GET', '/v1.0/users/$count', users.count],
    ...DELTA.map((name) => ['GET', `/v1.0/users/${name}`, delta]),
    ['GET', '/v1.0/users/{id}', users.get],
    ['PATCH', '/v1.0/users/{id}', users.patch],
    ['DELETE', '/v1.0/users/{id}', users.remove],
    ['POST', '/v1.0/users/{id}/checkMemberGroups', groups.checkMemberGroups],
    ['POST', '/v1.0/groups/{id}/members/$ref', groups.addMember],
    ['DELETE', '/v1.0/groups/{id}/members/{user}/$ref', groups.removeMember],
    ['GET', '/v1.0/users/{id}/sponsors', sponsors.list],
    ['POST', '/v1.0/users/{id}/sponsors/$ref', sponsors.add],
    ['DELETE', '/v1.0/users/{id}/sponsors/{sponsor}/$ref', sponsors.remove],
    ['GET', '/v1.0/directory/deletedItems/microsoft.graph.user', deleted.list],
    ['GET', '/v1.0/directory/deletedItems/{id}', deleted.get],
    ['DELETE', '/v1.0/directory/deletedItems/{id}', deleted.purge],
    ['POST', '/v1.0/directory/deletedItems/{id}/restore', deleted.restore],
    ['GET', '/v1.0/organization', tenant.organization],
    ['GET', '/v1.0/domains', tenant.domains],
    ['GET', '/v1.0/policies/authorizationPolicy', tenant.authorizationPolicy],
].map(([method, template, handler]) => ({ method, template, handler, parts: template.split('/') }));

// What the plain port answers, and nothing else does.
const IDENTITY_ROUTES = [
    { method: 'GET', template: '/metadata/identity/oauth2/token', handler: identity.token },
].map((route) => ({ ...route, parts: route.template.split('/') }));

const UNKNOWN = { template: '(unknown)', handler: null, parameters: [] };

function decodeSegments(rawPath) {
    try {
        return rawPath.split('/').map(decodeURIComponent);
    } catch (error) {
        return null;
    }
}

/** Segments of a path compare in any case, as the services do; parameters are kept as they are. */
function fit(route, segments) {
    if (route.parts.length !== segments.length)
        return null;
    const parameters = [];
    for (let i = 0; i < segments.length; i++) {
        if (route.parts[i].startsWith('{')) {
            if (segments[i] === '')
                return null;
            parameters.push(segments[i]);
        } else if (fold(route.parts[i]) !== fold(segments[i])) {
            return null;
        }
    }
    return parameters;
}

/** {template, handler, parameters, path} of a request. isPlain: it came to the port of the managed identity service. */
function findRoute(method, rawUrl, isPlain = false) {
    const rawPath = rawUrl.split('?', 1)[0];
    const segments = decodeSegments(rawPath);
    if (!segments)
        return { ...UNKNOWN, path: rawPath };
    for (const route of isPlain ? IDENTITY_ROUTES : ROUTES) {
        const parameters = (route.method === '*' || route.method === method) && fit(route, segments);
        if (parameters)
            return { template: route.template, handler: route.handler, parameters, path: segments.join('/') };
    }
    return { ...UNKNOWN, path: segments.join('/') };
}

function isGraphPath(path) {
    return path.startsWith(GRAPH);
}

function unknownAnswer(ctx) {
    if (!isGraphPath(ctx.rawPath))
        return htmlPage(404, '404 - File or directory not found.');
    return errorAnswer(ctx, unknownSegment(ctx.rawPath.slice(GRAPH.length).split('/')[0]));
}

function callGraph(sim, ctx, route) {
    ctx.token = sim.tokens.check(ctx.headers.authorization);
    if (ctx.method !== 'GET' && route.template !== BATCH)
        sim.throttle.takeWrite();
    return route.handler(sim, ctx, route.parameters);
}

/** Carries the request out; returns {status, headers, body}, or a promise of it. */
function carryOut(sim, ctx, route) {
    try {
        if (!route.handler)
            return unknownAnswer(ctx);
        return isGraphPath(ctx.rawPath) ? callGraph(sim, ctx, route) : route.handler(sim, ctx, route.parameters);
    } catch (error) {
        if (error instanceof GraphError)
            return errorAnswer(ctx, error);
        if (error instanceof LoginError)
            return loginErrorAnswer(sim, ctx, error);
        throw error;
    }
}

module.exports = { findRoute, carryOut, isGraphPath, BATCH };
