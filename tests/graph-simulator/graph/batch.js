'use strict';
// POST /$batch: which batches the service takes, and how the answers to the requests inside are written (contract 4.4).

const { GraphError } = require('./answers');
const { fold } = require('../engine/address');

const MAX_REQUESTS = 20;
const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];
const WITH_BODY = ['POST', 'PATCH', 'PUT'];

function refused(message) {
    return new GraphError(400, 'BadRequest', message);
}

function isObject(value) {
    return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function checkShape(request) {
    const { id, method, url, headers = {}, dependsOn = [] } = request;
    const isRight = typeof id === 'string' && id !== '' && METHODS.includes(method)
        && typeof url === 'string' && url !== '' && !/^([a-z]+:)?\/\//i.test(url)
        && isObject(headers) && Object.values(headers).every((value) => typeof value === 'string')
        && Array.isArray(dependsOn) && dependsOn.every((other) => typeof other === 'string');
    if (!isRight || /^\/?(\$|%24)batch\b/i.test(url))
        throw refused('Invalid batch payload format.');
}

function checkWrite({ id, method, headers = {}, body }) {
    const isTyped = Object.keys(headers).some((name) => fold(name) === 'content-type');
    const hasBody = body !== undefined && body !== null;
    if (WITH_BODY.includes(method) ? !(isTyped && hasBody) : hasBody && !isTyped)
        throw refused(`Write request id : ${id} does not contain Content-Type header or body.`);
}

/** Each request may depend on others of the batch, and none on itself by a detour. */
function checkDependencies(byId) {
    const visited = new Map();
    const visit = (id) => {
        const request = byId.get(id);
        if (!request || visited.get(id) === 'open')
            throw refused('Invalid batch payload format: dependsOn names a request that can\'t be waited for.');
        if (visited.has(id))
            return;
        visited.set(id, 'open');
        (request.dependsOn || []).map(fold).forEach(visit);
        visited.set(id, 'done');
    };
    [...byId.keys()].forEach(visit);
}

/** The requests of a batch; throws what the service answers to the whole of a bad one. */
function readBatch(ctx) {
    const { requests } = ctx.jsonObject();
    if (!Array.isArray(requests) || requests.length === 0 || !requests.every(isObject))
        throw refused('Invalid batch payload format.');
    if (requests.length > MAX_REQUESTS)
        throw refused(`Number of requests inside batch exceeds the limit of ${MAX_REQUESTS}.`);
    const byId = new Map();
    for (const request of requests) {
        checkShape(request);
        if (byId.has(fold(request.id)))
            throw refused(`Request Id ${request.id} has to be unique in a batch.`);
        byId.set(fold(request.id), request);
        checkWrite(request);
    }
    checkDependencies(byId);
    return requests;
}

function headerName(name) {
    return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function parsed(answer) {
    try {
        return /\bjson\b/.test(answer.headers['content-type'] || '') ? { value: JSON.parse(answer.body) } : null;
    } catch (error) {
        return null;
    }
}

/** One of "responses", as JSON text. A body that is no JSON goes as base64; error.code may be empty by setting. */
function responseText(id, answer, errorCodes) {
    const headers = {};
    for (const [name, value] of Object.entries(answer.headers))
        headers[headerName(name)] = value;
    const response = { id, status: answer.status, headers };
    const json = answer.body === '' ? null : parsed(answer);
    if (json)
        response.body = json.value;
    else if (answer.body !== '')
        response.body = Buffer.from(answer.body).toString('base64');
    if (errorCodes === 'empty' && json && isObject(json.value.error))
        json.value.error.code = '';
    return JSON.stringify(response);
}

function post(sim, ctx) {
    if (ctx.batch.refusal)
        throw ctx.batch.refusal;
    return ctx.batch.carryOut();
}

module.exports = { post, readBatch, responseText };
