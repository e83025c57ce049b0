// Bookinfo's productpage, as far as the guide's last check sees it: HTML at /productpage and /. It stands for the real workload, which needs a container runtime.
// It also says who called, so that a test can tell by which way a request came.
import http from 'node:http';
import process from 'node:process';

const [address] = process.argv.slice(2);
if (!address) throw new Error('usage: productpage.ts ADDRESS');

http
  .createServer((request, response) => {
    if (request.url === '/health') {
      response.end('Product page is healthy');
      return;
    }
    const known = request.url === '/' || request.url?.startsWith('/productpage');
    response.writeHead(known ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
    response.end(`<!DOCTYPE html>
<html>
  <head>
    <title>Simple Bookstore App</title>
  </head>
  <body>
    <h1>Hello! This is a simple bookstore application</h1>
    <p>Asked by ${request.socket.remoteAddress ?? 'nobody'}</p>
  </body>
</html>
`);
  })
  .listen(9080, address);
