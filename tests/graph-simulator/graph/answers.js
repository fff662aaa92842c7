'use strict';
// The shapes of Graph's answers (contract 6) and the error that handlers throw.

const JSON_TYPE = 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';

// code and message of a status that a handler or a fault answers without a reason of its own.
const PLAIN = {
    400: ['Request_BadRequest', 'Bad request.'],
    401: ['InvalidAuthenticationToken', 'Access token validation failure.'],
    403: ['Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'],
    404: ['Request_ResourceNotFound', 'Resource does not exist or one of its queried reference-property objects '
        + 'are not present.'],
    409: ['Request_MultipleObjectsWithSameKeyValue', 'A conflicting object with one or more of the specified '
        + 'property values is present in the directory.'],
    424: ['FailedDependency', 'A request that this one depends on has failed.'],
    429: ['TooManyRequests', 'Too many requests. Please retry again later.'],
    500: ['InternalServerError', 'An internal server error has occurred.'],
    501: ['NotImplemented', 'This is not available here.'],
    502: ['BadGateway', 'Bad gateway.'],
    503: ['ServiceUnavailable', 'Service is temporarily unavailable. Please wait and try again.'],
    504: ['GatewayTimeout', 'Gateway timeout.'],
};

class GraphError extends Error {
    constructor(status, code, message, headers = {}) {
        super(message);
        this.status = status;
        this.code = code;
        this.headers = headers;
    }
}

function plainError(status) {
    return new GraphError(status, ...(PLAIN[status] || ['UnknownError', '']));
}

function unknownSegment(name) {
    return new GraphError(400, 'BadRequest', `Resource not found for the segment '${name}'.`);
}

/** What a call is refused with whose setting turns it off: false as an unknown one, a number with that status. */
function turnedOff(setting, segment) {
    if (setting === true)
        return null;
    return setting === false ? unknownSegment(segment) : plainError(setting);
}

/** innerError.date has no zone (contract 6). */
function errorBody(ctx, code, message) {
    return {
        error: {
            code,
            message,
            innerError: {
                'date': new Date().toISOString().slice(0, 19),
                'request-id': ctx.requestId,
                'client-request-id': ctx.clientRequestId || ctx.requestId,
            },
        },
    };
}

function json(status, value, headers = {}) {
    const all = { 'content-type': JSON_TYPE, 'odata-version': '4.0', ...headers };
    return { status, headers: all, body: JSON.stringify(value) };
}

function errorAnswer(ctx, error) {
    const answer = json(error.status, errorBody(ctx, error.code, error.message), error.headers);
    delete answer.headers['odata-version'];
    answer.headers['content-type'] = 'application/json';
    return answer;
}

function noContent() {
    return { status: 204, headers: {}, body: '' };
}

function text(status, body) {
    return { status, headers: { 'content-type': 'text/plain' }, body };
}

function escapeHtml(words) {
    return words.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function htmlPage(status, title) {
    const words = escapeHtml(title);
    return {
        status,
        headers: { 'content-type': 'text/html; charset=utf-8' },
        body: `<!DOCTYPE html>\r\n<html><head><title>${words}</title></head><body><h2>${words}</h2></body></html>\r\n`,
    };
}

module.exports = {
    GraphError, plainError, unknownSegment, turnedOff, errorAnswer, json, noContent, text, htmlPage, JSON_TYPE,
};
