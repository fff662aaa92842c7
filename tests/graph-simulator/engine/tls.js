'use strict';
// A certificate authority of our own and one server certificate, made with the openssl command.

const childProcess = require('child_process');
const fs = require('fs');
const path = require('path');

const DAYS = '825';
const SERVER_EXTENSIONS = `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1
`;

function openssl(args) {
    const result = childProcess.spawnSync('openssl', args, { encoding: 'utf8' });
    if (result.error)
        throw new Error(`cannot run openssl (${result.error.code}); install the package openssl`);
    if (result.status !== 0)
        throw new Error(`openssl ${args[0]} failed: ${result.stderr.trim()}`);
}

function makeAuthority(files) {
    openssl(['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
        '-keyout', files.caKey, '-out', files.ca, '-days', DAYS, '-subj', '/CN=graph-simulator CA',
        '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']);
}

function makeServerCertificate(files) {
    fs.writeFileSync(files.extensions, SERVER_EXTENSIONS);
    openssl(['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
        '-keyout', files.key, '-out', files.request, '-subj', '/CN=localhost']);
    openssl(['x509', '-req', '-in', files.request, '-CA', files.ca, '-CAkey', files.caKey, '-CAcreateserial',
        '-out', files.certificate, '-days', DAYS, '-extfile', files.extensions]);
    fs.rmSync(files.request);
    fs.rmSync(files.extensions);
}

/** Returns {key, cert, caFile}; makes what is missing in dir. The process' umask must keep keys private. */
function ensureCertificates(dir) {
    const inDir = (name) => path.join(dir, name);
    const files = {
        ca: inDir('ca.pem'), caKey: inDir('ca.key'), key: inDir('server.key'), certificate: inDir('server.pem'),
        request: inDir('server.csr'), extensions: inDir('server.ext'),
    };
    const all = [files.ca, files.caKey, files.key, files.certificate];
    if (!all.every((file) => fs.existsSync(file))) {
        makeAuthority(files);
        makeServerCertificate(files);
        fs.chmodSync(files.ca, 0o644);
    }
    return { key: fs.readFileSync(files.key), cert: fs.readFileSync(files.certificate), caFile: files.ca };
}

module.exports = { ensureCertificates };
