// A small server for node-balance.toml: a page, uploads that outlive it, and a health page.
const fs = require('fs');
const http = require('http');
const path = require('path');

const uploads = process.env.UPLOADS || 'uploads';
const page = fs.readFileSync(path.join(__dirname, 'page.txt'));

function upload(request, response, name) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const file = path.join(uploads, name);
    // Whole or not at all, whatever becomes of this replica.
    fs.writeFileSync(file + '.new', Buffer.concat(parts));
    fs.renameSync(file + '.new', file);
    response.writeHead(201).end('kept\n');
  });
}

http.createServer((request, response) => {
  const name = path.basename(new URL(request.url, 'http://x').pathname);
  if (request.url === '/health') {
    response.end('ok\n');
  } else if (request.method === 'PUT' && request.url.startsWith('/uploads/') && /^\w+$/.test(name)) {
    upload(request, response, name);
  } else if (request.url.startsWith('/uploads/')) {
    fs.readFile(path.join(uploads, name), (error, data) => {
      if (error) response.writeHead(404).end('no such upload\n');
      else response.end(data);
    });
  } else {
    response.end(page);
  }
}).listen(Number(process.env.PORT || 8090));
