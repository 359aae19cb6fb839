import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What came. */
export interface Post {
  headers: http.IncomingHttpHeaders
  body: string
  url: string | undefined
}

/** A real receiver of webhooks on loopback. */
export async function aReceiver(
  answer: (response: http.ServerResponse, post: Post) => void = (one) => one.end(),
) {
  const posts: Post[] = []
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const post = { headers: request.headers, url: request.url, body: Buffer.concat(chunks).toString() }
      posts.push(post)
      answer(response, post)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    posts,
    server,
    webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token-of-ours`,
  }
}
