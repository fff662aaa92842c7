'use strict';
// Opens redeem URLs, one a line of stdin, as a partner's browser does: open-links.js CA-FILE. A URL is a secret, so it
// is no argument. Exits with 1 if one of them was refused.

const fs = require('fs');
const https = require('https');

const agent = new https.Agent({ ca: fs.readFileSync(process.argv[2]), keepAlive: true, maxSockets: 4 });

function open(url) {
    return new Promise((resolve, reject) => {
        https.get(url, { agent }, (response) => {
            response.resume();
            response.on('end', () => (response.statusCode === 302
                ? resolve() : reject(new Error(`status ${response.statusCode}`))));
        }).on('error', reject);
    });
}

async function main() {
    const urls = fs.readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
    await Promise.all(urls.map(open));
}

main().catch((error) => {
    console.error(String(error.message));
    process.exitCode = 1;
}).finally(() => agent.destroy());
