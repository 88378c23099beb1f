// The same decisions as `step` of rate-state.ts, within the server and by its time. A test holds them against each other.

/** Arguments of each ask, in their order. */
export const argumentsOfAsk = [
  'algorithm',
  'limit',
  'windowMs',
  'burst',
  'maxDelayMs',
  'cost',
  'id',
  'leaseMs',
] as const;

/**
 * One decision over all of `KEYS`, all or none. `ARGV[1]` is the time in milliseconds, empty: the server's. Answers with
 * 1 or 0, then for each ask admitted, remaining, retryAfterMs, resetMs, delayMs; -1 for what is not to be foreseen.
 * Numbers go as texts, since an integer reply has no fractions, and with 17 digits, since Lua's own 14 would lose some.
 */
export const takeScript: string = `
local rounding = 1e-6
local slices = 100
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
end
local function text(x) return string.format('%.17g', x) end

local steps = {}

steps.fixed_window = function(key, a)
  local window = math.floor(now / a.window)
  local state = redis.call('HMGET', key, 'window', 'used')
  local used = 0
  if tonumber(state[1]) == window then used = tonumber(state[2]) end
  local admitted = used + a.cost <= a.limit
  local after = admitted and used + a.cost or used
  local reset = (window + 1) * a.window - now
  local retry = a.cost > a.limit and -1 or reset
  local write = function()
    redis.call('HSET', key, 'window', text(window), 'used', text(after))
    redis.call('PEXPIRE', key, math.ceil(reset) + 1)
  end
  return admitted, a.limit - after, retry, reset, 0, write
end

-- A list of slices that are not empty, each with the sums before and after it: 'slice before after'.
steps.sliding_window = function(key, a)
  local slice = a.window / slices
  local function read(at)
    local entry = redis.call('LINDEX', key, at)
    if not entry then return nil end
    local s, before, after = string.match(entry, '^(%S+) (%S+) (%S+)$')
    return { at = tonumber(s), before = tonumber(before), after = tonumber(after) }
  end
  local function leavesIn(at) return (at + 1) * slice + a.window - now end
  local first = read(0)
  while first and leavesIn(first.at) <= 0 do
    redis.call('LPOP', key)
    first = read(0)
  end
  local last = first and read(-1)
  local used = first and last.after - first.before or 0
  if used + a.cost > a.limit then
    local reset = last and leavesIn(last.at) or 0
    if a.cost > a.limit then return false, a.limit - used, -1, reset, 0, nil end
    local needed = used + a.cost - a.limit
    local at, entry = 0, first
    while entry.after - first.before < needed do
      at = at + 1
      entry = read(at)
    end
    return false, a.limit - used, leavesIn(entry.at), reset, 0, nil
  end
  local at = math.floor(now / slice)
  local write = function()
    local sum = last and last.after or 0
    if last and last.at == at then
      redis.call('LSET', key, -1, text(at) .. ' ' .. text(last.before) .. ' ' .. text(sum + a.cost))
    else
      redis.call('RPUSH', key, text(at) .. ' ' .. text(sum) .. ' ' .. text(sum + a.cost))
    end
    redis.call('PEXPIRE', key, math.ceil(leavesIn(at)) + 1)
  end
  return true, a.limit - used - a.cost, 0, leavesIn(at), 0, write
end

steps.token_bucket = function(key, a)
  local perMs = a.limit / a.window
  local state = redis.call('HMGET', key, 'tokens', 'at')
  local tokens = a.burst
  if state[1] then
    -- A clock that was set back gives nothing.
    tokens = math.min(a.burst, tonumber(state[1]) + math.max(0, now - tonumber(state[2])) * perMs)
  end
  local admitted = tokens + rounding >= a.cost
  local left = admitted and math.max(0, tokens - a.cost) or tokens
  local retry = a.cost > a.burst and -1 or (a.cost - tokens) / perMs
  local reset = (a.burst - left) / perMs
  local write = function()
    redis.call('HSET', key, 'tokens', text(left), 'at', text(now))
    redis.call('PEXPIRE', key, math.ceil(reset) + 1)
  end
  return admitted, math.floor(left + rounding), retry, reset, 0, write
end

steps.leaky_bucket = function(key, a)
  local each = a.window / a.limit
  local spare = (a.burst - 1) * each
  local emptyAt = math.max(tonumber(redis.call('GET', key) or now), now)
  local wait = math.max(0, emptyAt - now + (a.cost - 1) * each - spare)
  local admitted = wait <= a.maxDelay + rounding
  local after = admitted and emptyAt + a.cost * each or emptyAt
  local never = (a.cost - 1) * each > spare + a.maxDelay + rounding
  local room = math.floor((a.maxDelay + spare - (after - now)) / each + 1 + rounding)
  local delay = (admitted and wait > rounding) and wait or 0
  local write = function()
    redis.call('SET', key, text(after), 'PX', math.ceil(after - now) + 1)
  end
  return admitted, math.max(0, room), never and -1 or wait - a.maxDelay, after - now, delay, write
end

-- A place is held by a lease, so that what a dead gateway held comes back.
steps.concurrency = function(key, a)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now))
  local held = redis.call('ZCARD', key)
  local admitted = held + a.cost <= a.limit
  local after = admitted and held + a.cost or held
  local write = function()
    for place = 1, a.cost do redis.call('ZADD', key, text(now + a.lease), a.id .. ':' .. place) end
    redis.call('PEXPIRE', key, math.ceil(a.lease) + 1)
  end
  return admitted, a.limit - after, -1, -1, 0, write
end

local answer, writes, all = { '' }, {}, true
for i, key in ipairs(KEYS) do
  local at = 1 + (i - 1) * ${argumentsOfAsk.length}
  local admitted, remaining, retry, reset, delay, write = steps[ARGV[at + 1]](key, {
    limit = tonumber(ARGV[at + 2]),
    window = tonumber(ARGV[at + 3]),
    burst = tonumber(ARGV[at + 4]),
    maxDelay = tonumber(ARGV[at + 5]),
    cost = tonumber(ARGV[at + 6]),
    id = ARGV[at + 7],
    lease = tonumber(ARGV[at + 8]),
  })
  all = all and admitted
  writes[i] = write
  for _, value in ipairs({ admitted and 1 or 0, remaining, admitted and 0 or retry, reset, delay }) do
    answer[#answer + 1] = text(value)
  end
end
if all then for i = 1, #KEYS do writes[i]() end end
answer[1] = all and '1' or '0'
return answer
`;

/** Prolongs the lease of places that are still held: `KEYS[1]`, the lease in milliseconds, then ids with their places. */
export const renewScript: string = `
local time = redis.call('TIME')
local untilMs = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000 + tonumber(ARGV[1])
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', string.format('%.17g', untilMs), ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[1])) + 1)
return 0
`;
