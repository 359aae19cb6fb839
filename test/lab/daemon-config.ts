/** Of the mail server beside the daemon, in the daemon's own network. */
export const mailPort = 2525

/** Two jobs at short intervals, one by the clock and one by its RPO over both volumes, with all that can be heard of them. */
export function daemonConfig(dir: string): string {
  return `
[api]
socket = ${dir}/run/api.sock
listen = 127.0.0.1:9736

[daemon]
inventory_every = 20s

[mail]
server = 127.0.0.1:${mailPort}
tls = none
from = vmbackup@example.com

[job both]
pairs = data gs1 data-dr, data2 gs1 data2-dr
rpo = 4m
retry = 1m

[job second]
pairs = data gs1 data-dr, data2 gs1 data2-dr
schedule = */2 * * * *
time_zone = UTC

[policy gold]
rpo = 30m

[route ops]
severity = normal
mail = ops@example.com
engine = yes
`
}
