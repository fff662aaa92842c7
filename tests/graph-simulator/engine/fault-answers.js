'use strict';
// How a fault's action makes or changes an answer.

const { GraphError, plainError, errorAnswer, htmlPage, JSON_TYPE } = require('../graph/answers');
const { LoginError, loginErrorAnswer } = require('../login/errors');
const { isGraphPath } = require('./routes');

const HARM = ['status', 'aadsts', 'reset', 'close', 'stuck', 'raw', 'html', 'empty', 'body', 'contentType', 'headers',
    'huge', 'truncate', 'dribble'];

/** Whether the action does more than wait or steer the handler. */
function harms(action) {
    return HARM.some((key) => action[key] !== undefined);
}

function retryAfterText(value) {
    if (typeof value === 'object')
        return value.decimal !== undefined ? value.decimal : new Date(Date.now() + value.date * 1000).toUTCString();
    return String(value);
}

/** The answer that the action gives in place of the true one; null: it gives none. */
function insteadOf(sim, ctx, action) {
    if (action.aadsts !== undefined)
        return loginErrorAnswer(sim, ctx, new LoginError(action.aadsts, action));
    if (action.status === undefined)
        return null;
    if (action.status < 400)
        return { status: action.status, headers: { 'content-type': JSON_TYPE }, body: '{}' };
    const plain = plainError(action.status);
    const { code = plain.code, message = plain.message } = action;
    return errorAnswer(ctx, new GraphError(action.status, code, message));
}

/** What the action does to status line, headers and body. */
function alter(answer, action) {
    const altered = { ...answer, headers: { ...answer.headers } };
    if (action.html) {
        const page = htmlPage(answer.status, 'Sign in to the proxy');
        altered.headers['content-type'] = page.headers['content-type'];
        altered.body = page.body;
    }
    if (action.body !== undefined)
        altered.body = typeof action.body === 'string' ? action.body : JSON.stringify(action.body);
    if (action.empty)
        altered.body = '';
    if (action.contentType !== undefined)
        altered.headers['content-type'] = action.contentType;
    if (action.retryAfter !== undefined)
        altered.headers['retry-after'] = retryAfterText(action.retryAfter);
    for (const [name, value] of Object.entries(action.headers || {}))
        altered.headers[name.toLowerCase()] = String(value);
    return altered;
}

/** For how many seconds an answer asks the client to keep away; 0 if it does not. */
function askedPause(ctx, answer) {
    const value = answer.headers['retry-after'];
    if (value === undefined || ![429, 503].includes(answer.status) || !isGraphPath(ctx.rawPath))
        return 0;
    const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
    return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) : 0;
}

module.exports = { harms, insteadOf, alter, askedPause };
