// The mails for one address in an mbox file that Exim wrote, as JSON: [{from, to, subject, body, headers}]. Written for
// what common/deliver sends, and sharing nothing with it.
//
//   node mailbox.js FILE ADDRESS
'use strict';
const fs = require('fs');

const [file, address] = process.argv.slice(2);
const text = fs.existsSync(file) ? fs.readFileSync(file, 'latin1') : '';

const words = (value) => value.replace(/\?=\s+=\?/g, '?==?').replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how, data) =>
    how.toLowerCase() === 'b' ? Buffer.from(data, 'base64').toString('latin1')
        : data.replace(/_/g, ' ').replace(/=([0-9A-F]{2})/gi, (__, hex) => String.fromCharCode(parseInt(hex, 16))));
const utf8 = (bytes) => Buffer.from(bytes, 'latin1').toString('utf8');

function decode(body, how) {
    if (/base64/i.test(how)) return Buffer.from(body, 'base64').toString('latin1');
    if (/quoted-printable/i.test(how))
        return body.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return body;
}

function read(one) {
    const at = one.indexOf('\n\n');
    const headers = {};
    for (const line of one.slice(0, at).replace(/\n[ \t]+/g, ' ').split('\n').slice(1)) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] = utf8(words(line.slice(colon + 1).trim()));
    }
    const body = utf8(decode(one.slice(at + 2), headers['content-transfer-encoding'] || '7bit')).replace(/\r\n/g, '\n');
    return { from: headers.from, to: headers.to, subject: headers.subject, body, headers };
}

const all = text.split(/^(?=From )/m).filter((one) => one !== '').map(read);
console.log(JSON.stringify(all.filter((one) => one.headers['envelope-to'] === address)));
