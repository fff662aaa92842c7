'use strict';
// Putting an answer, or its absence, on the connection, for HTTP/1.1 and HTTP/2 alike.

const http2 = require('http2');
const zlib = require('zlib');

const PIECE = Buffer.alloc(65536, ' ');
const CLOSE_GRACE_MS = 1000;

class Wire {
    /** connection: {tls, raw} of this request; closed(answered) is called at the end, maybe more than once. */
    constructor(request, response, connection, closed) {
        Object.assign(this, { request, response, connection, closed });
        this.stream = request.stream && request.httpVersionMajor === 2 ? request.stream : null;
        this.gone = false;
        this.isWhole = false;
        response.on('finish', () => { if (this.isWhole) closed('yes'); });
        response.on('close', () => this.over());
        response.on('error', () => {});
    }

    whenGone(callback) {
        if (this.gone)
            callback();
        else
            this.response.on('close', callback);
    }

    /**
     * TCP RST. Node 18 does not tell the layers above of it, so this does: the TLS layer first, or the session would
     * leave its farewell there, and Node 18 crashes when it collects a TLS layer with bytes that nobody will send.
     */
    reset() {
        if (this.connection.raw.resetAndDestroy)
            this.connection.raw.resetAndDestroy();
        this.connection.tls.destroy();
        if (this.stream && this.stream.session)
            this.stream.session.destroy();
        this.over();
    }

    over() {
        this.gone = true;
        this.closed(this.response.headersSent ? 'partly' : 'no');
    }

    resetStream() {
        if (this.stream)
            this.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
        else
            this.reset();
    }

    /** In order, with a TLS close, and without another byte of HTTP. */
    close() {
        if (this.stream) {
            if (this.stream.session)
                this.stream.session.destroy();
            return;
        }
        this.connection.tls.end();
        setTimeout(() => this.connection.tls.destroy(), CLOSE_GRACE_MS).unref();
    }

    raw(text) {
        if (!this.stream)
            this.connection.tls.write(text);
        this.close();
    }

    head(answer, length) {
        const headers = { ...answer.headers };
        if (answer.status !== 204 && answer.status !== 304)
            headers['content-length'] = String(length);
        this.response.writeHead(answer.status, headers);
    }

    compressed(answer, body) {
        const accepts = /\bgzip\b/.test(String(this.request.headers['accept-encoding'] || ''));
        if (!accepts || body.length === 0)
            return body;
        answer.headers['content-encoding'] = 'gzip';
        answer.headers.vary = 'Accept-Encoding';
        return zlib.gzipSync(body);
    }

    /** how: the parts of an action that concern the transfer, and gzip. */
    async send(answer, how) {
        if (this.gone)
            return;
        let body = Buffer.from(answer.body);
        if (how.gzip)
            body = this.compressed(answer, body);
        const padding = how.huge === undefined ? 0 : Math.max(0, how.huge - body.length);
        this.head(answer, body.length + padding);
        if (how.truncate !== undefined)
            await this.sendPart(body.subarray(0, how.truncate), Math.min(padding, how.truncate));
        else if (how.dribble)
            await this.sendPieces(body, how.dribble);
        else if (padding > 0)
            await this.sendPadded(body, padding);
        else
            this.end(body);
    }

    /** Closing an HTTP/2 stream finishes the response too; only this tells that it was all sent. */
    end(body) {
        this.isWhole = true;
        this.response.end(body);
    }

    write(bytes) {
        return new Promise((resolve) => {
            this.whenGone(resolve);
            this.response.write(bytes, () => resolve());
        });
    }

    async sendPart(bytes, padding) {
        const start = padding > 0 ? Buffer.alloc(padding, ' ') : bytes;
        if (start.length > 0)
            await this.write(start);
        else if (this.stream)
            this.response.flushHeaders();
        else
            await new Promise((resolve) => { this.response.flushHeaders(); setImmediate(resolve); });
        if (this.stream)
            this.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
        else
            this.close();
    }

    async sendPieces(body, { bytes, everyMs }) {
        for (let at = 0; at < body.length && !this.gone; at += bytes) {
            await this.write(body.subarray(at, at + bytes));
            await new Promise((resolve) => { setTimeout(resolve, everyMs); });
        }
        this.end();
    }

    async sendPadded(body, padding) {
        for (let left = padding; left > 0 && !this.gone; left -= PIECE.length)
            await this.write(PIECE.subarray(0, Math.min(left, PIECE.length)));
        this.end(body);
    }
}

module.exports = { Wire };
