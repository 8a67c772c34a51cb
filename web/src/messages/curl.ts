/** The request as one command for a POSIX shell. Secrets are not in it: the server does not show them. */
export function asCurl(request: {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}): string {
  const headers = Object.entries(request.headers)
    // curl writes these itself, and a wrong length would cut the body.
    .filter(([name]) => !/^(content-length|host|connection|transfer-encoding)$/i.test(name))
    .map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)
  const body = request.body === '' ? [] : [`--data-raw ${quoted(request.body)}`]
  return [`curl -X ${quoted(request.method)} ${quoted(request.url)}`, ...headers, ...body].join(' \\\n  ')
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
