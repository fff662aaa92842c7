'use strict';
// The shapes of Graph's answers (contract 6) and the error that handlers throw.

const JSON_TYPE = 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';

class GraphError extends Error {
    constructor(status, code, message, headers = {}) {
        super(message);
        this.status = status;
        this.code = code;
        this.headers = headers;
    }
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

module.exports = { GraphError, errorAnswer, json, noContent, text, htmlPage, JSON_TYPE };
