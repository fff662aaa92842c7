'use strict';
// $filter text to a tree. The grammar is the part of OData's that the directory knows:
//   or, and, not, ( ), eq ne gt ge lt le, in ( , ), startsWith endsWith contains, path/any(x:...)

const { GraphError } = require('./answers');

const COMPARISONS = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const FUNCTIONS = ['startswith', 'endswith', 'contains'];
const MAX_DEPTH = 50;

const TOKEN = new RegExp([
    /\s+/,
    /(?<string>'(?:[^']|'')*')/,
    /(?<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))/,
    /(?<number>-?\d+(?:\.\d+)?)(?![\w-])/,
    /(?<word>[A-Za-z_@][\w.]*)/,
    /(?<sign>[(),:/])/,
].map((part) => part.source).join('|'), 'y');

function invalid(reason) {
    return new GraphError(400, 'Request_BadRequest', `Invalid filter clause: ${reason}`);
}

function tokenize(text) {
    const tokens = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
        const at = TOKEN.lastIndex;
        const match = TOKEN.exec(text);
        if (!match)
            throw invalid(`syntax error at position ${at} in '${text}'.`);
        const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
        if (kind)
            tokens.push({ kind, text: match.groups[kind], at });
    }
    return tokens;
}

class Parser {
    constructor(text) {
        this.text = text;
        this.tokens = tokenize(text);
        this.next = 0;
        this.depth = 0;
    }

    peek() {
        return this.tokens[this.next] || { kind: 'end', text: '', at: this.text.length };
    }

    isNext(...texts) {
        const token = this.peek();
        return ['word', 'sign'].includes(token.kind) && texts.includes(token.text.toLowerCase());
    }

    fail() {
        throw invalid(`syntax error at position ${this.peek().at} in '${this.text}'.`);
    }

    take(kind) {
        const token = this.peek();
        if (token.kind !== kind)
            this.fail();
        this.next++;
        return token.text;
    }

    sign(text) {
        if (!this.isNext(text))
            this.fail();
        this.next++;
    }

    parse() {
        const tree = this.or();
        if (this.peek().kind !== 'end')
            this.fail();
        return tree;
    }

    chain(word, part) {
        const parts = [part.call(this)];
        while (this.isNext(word)) {
            this.next++;
            parts.push(part.call(this));
        }
        return parts.length === 1 ? parts[0] : { op: word, parts };
    }

    or() {
        if (++this.depth > MAX_DEPTH)
            throw invalid('too deeply nested.');
        const tree = this.chain('or', this.and);
        this.depth--;
        return tree;
    }

    and() {
        return this.chain('and', this.unary);
    }

    unary() {
        if (this.isNext('not')) {
            this.next++;
            return { op: 'not', part: this.unary() };
        }
        if (this.isNext('(')) {
            this.sign('(');
            const tree = this.or();
            this.sign(')');
            return tree;
        }
        return this.isNext(...FUNCTIONS) ? this.call() : this.comparison();
    }

    call() {
        const name = this.take('word').toLowerCase();
        this.sign('(');
        const path = this.path();
        this.sign(',');
        const value = this.literal();
        this.sign(')');
        return { op: 'call', name, path, value };
    }

    path() {
        let path = this.take('word');
        while (this.isNext('/')) {
            this.sign('/');
            if (this.isNext('any', 'all'))
                return { path, quantifier: this.take('word').toLowerCase() };
            path += `/${this.take('word')}`;
        }
        return path;
    }

    comparison() {
        const path = this.path();
        if (typeof path === 'object')
            return this.quantified(path);
        if (this.isNext('in'))
            return this.inList(path);
        const name = this.take('word').toLowerCase();
        if (!COMPARISONS.includes(name)) {
            this.next--;
            this.fail();
        }
        return { op: 'compare', name, path, value: this.literal() };
    }

    quantified({ path, quantifier }) {
        this.sign('(');
        const variable = this.take('word');
        this.sign(':');
        const body = this.or();
        this.sign(')');
        return { op: quantifier, path, variable, body };
    }

    inList(path) {
        this.take('word');
        this.sign('(');
        const values = [this.literal()];
        while (this.isNext(',')) {
            this.sign(',');
            values.push(this.literal());
        }
        this.sign(')');
        return { op: 'in', path, values };
    }

    literal() {
        const token = this.peek();
        this.next++;
        switch (token.kind) {
        case 'string':
            return token.text.slice(1, -1).replace(/''/g, "'");
        case 'number':
            return Number(token.text);
        case 'time':
            return { time: Date.parse(token.text) };
        case 'word':
            if (['true', 'false', 'null'].includes(token.text))
                return JSON.parse(token.text);
            break;
        }
        this.next--;
        return this.fail();
    }
}

function parseFilter(text) {
    return new Parser(text).parse();
}

module.exports = { parseFilter };
