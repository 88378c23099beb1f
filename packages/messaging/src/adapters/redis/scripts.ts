// What must happen at once, as scripts that Redis runs. The first key is the topic's, with its name in braces: all other
// keys begin with it, so that they are in the same slot of a cluster. Messages have the ids `1-0`, `2-0` …: the offset.

/** A script, and whether it is sent by its hash once the server knows it: ioredis does that. */
export interface Script {
  readonly name: string;
  readonly lua: string;
}

const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

const add = `local function add(base, partition, attributes, payload, now)
  local offset = redis.call('HINCRBY', base .. ':next', partition, 1)
  redis.call('XADD', base .. ':p:' .. partition, offset .. '-0', 'a', attributes, 'p', payload, 't', now)
end`;

const requireTopic = `if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOTOPIC') end`;

/** Arguments: partitions, retention. Answers the number of partitions that it has. */
export const createTopic: Script = {
  name: 'heddleCreateTopic',
  lua: `redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
redis.call('HSETNX', KEYS[1], 'retention', ARGV[2])
return tonumber(redis.call('HGET', KEYS[1], 'partitions'))`,
};

/** Answers 1 if there was one. */
export const deleteTopic: Script = {
  name: 'heddleDeleteTopic',
  lua: `local base = KEYS[1]
local partitions = redis.call('HGET', base, 'partitions')
if not partitions then return 0 end
for partition = 0, partitions - 1 do redis.call('DEL', base .. ':p:' .. partition) end
for _, group in ipairs(redis.call('SMEMBERS', base .. ':groups')) do redis.call('DEL', base .. ':g:' .. group) end
redis.call('DEL', base, base .. ':next', base .. ':due', base .. ':later', base .. ':groups')
return 1`,
};

/** Arguments: partition, due, attributes, payload of each. Answers 1 if one of them is for later. */
export const append: Script = {
  name: 'heddleAppend',
  lua: `${requireTopic}
${now}
local base = KEYS[1]
local counts, keys, next, later = {}, {}, {}, 0
for at = 1, #ARGV, 4 do
  local partition = ARGV[at]
  if tonumber(ARGV[at + 1]) <= now then counts[partition] = (counts[partition] or 0) + 1 end
end
for partition, count in pairs(counts) do
  next[partition] = redis.call('HINCRBY', base .. ':next', partition, count) - count
  keys[partition] = base .. ':p:' .. partition
end
for at = 1, #ARGV, 4 do
  local partition, due = ARGV[at], tonumber(ARGV[at + 1])
  if due > now then
    later = 1
    local number = redis.call('HINCRBY', base, 'delayed', 1)
    redis.call('ZADD', base .. ':due', due, number)
    redis.call('HSET', base .. ':later', number, cmsgpack.pack({ partition, ARGV[at + 2], ARGV[at + 3] }))
  else
    next[partition] = next[partition] + 1
    redis.call('XADD', keys[partition], next[partition] .. '-0', 'a', ARGV[at + 2], 'p', ARGV[at + 3], 't', now)
  end
end
redis.call('PUBLISH', base .. ':wake', 'm')
return later`,
};

/**
 * Moves what is due to its place, and drops what every group has passed and is older than the topic keeps it; so much at
 * a time that nobody else waits long. Answers when the next one is due, or -1.
 */
export const upkeep: Script = {
  name: 'heddleUpkeep',
  lua: `${requireTopic}
${now}
${add}
local base = KEYS[1]
local due = redis.call('ZRANGEBYSCORE', base .. ':due', '-inf', now, 'LIMIT', 0, 500)
for _, number in ipairs(due) do
  local message = cmsgpack.unpack(redis.call('HGET', base .. ':later', number))
  add(base, message[1], message[2], message[3], now)
  redis.call('ZREM', base .. ':due', number)
  redis.call('HDEL', base .. ':later', number)
end
if #due > 0 then redis.call('PUBLISH', base .. ':wake', 'm') end
local info = redis.call('HMGET', base, 'partitions', 'retention')
local groups = redis.call('SMEMBERS', base .. ':groups')
for partition = 0, info[1] - 1 do
  local stream = base .. ':p:' .. partition
  local reached = math.huge
  for _, group in ipairs(groups) do
    local position = tonumber(redis.call('HGET', base .. ':g:' .. group, 'n:' .. partition))
    if position and position < reached then reached = position end
  end
  local keep
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 200)) do
    local offset = tonumber(string.match(entry[1], '^%d+'))
    if offset >= reached or now - tonumber(entry[2][6]) < tonumber(info[2]) then break end
    keep = offset + 1
  end
  if keep then redis.call('XTRIM', stream, 'MINID', keep .. '-0') end
end
local first = redis.call('ZRANGE', base .. ':due', 0, 0, 'WITHSCORES')
return tonumber(first[2] or '-1')`,
};

/** Argument: group. Answers partitions, time, state and version; the last two are empty if there is no such group. */
export const lookAtGroup: Script = {
  name: 'heddleLookAtGroup',
  lua: `${requireTopic}
${now}
local group = redis.call('HMGET', KEYS[1] .. ':g:' .. ARGV[1], 'state', 'version')
return { redis.call('HGET', KEYS[1], 'partitions'), now, group[1] or '', group[2] or '' }`,
};

/** Arguments: group, state, `earliest` or `latest`, 1 if it ends with its last member. */
export const makeGroup: Script = {
  name: 'heddleMakeGroup',
  lua: `${requireTopic}
local base = KEYS[1]
local group = base .. ':g:' .. ARGV[1]
if redis.call('HSETNX', group, 'state', ARGV[2]) == 0 then return 0 end
redis.call('SADD', base .. ':groups', ARGV[1])
redis.call('HSET', group, 'version', 0, 'temporary', ARGV[4])
for partition = 0, redis.call('HGET', base, 'partitions') - 1 do
  local position = 1
  if ARGV[3] == 'latest' then position = (redis.call('HGET', base .. ':next', partition) or 0) + 1 end
  redis.call('HSET', group, 'n:' .. partition, position, 'e:' .. partition, 0, 'a:' .. partition, 0)
end
return 1`,
};

/**
 * A step of a group that was computed from `version`. Arguments: group, version, state, 1 to tell the others, 1 if nobody
 * is left, then JSON: { abandoned: [partition], fresh: [[partition, epoch]], released: [[partition, epoch]], owned: [partition] }.
 * Answers position and count of abandonments of each that is owned, or -1 if the state is not of that version any more.
 */
export const stepGroup: Script = {
  name: 'heddleStepGroup',
  lua: `local base = KEYS[1]
local group = base .. ':g:' .. ARGV[1]
if redis.call('HGET', group, 'version') ~= ARGV[2] then return -1 end
local change = cjson.decode(ARGV[6])
redis.call('HSET', group, 'state', ARGV[3])
redis.call('HINCRBY', group, 'version', 1)
for _, released in ipairs(change.released) do
  if redis.call('HGET', group, 'e:' .. released[1]) == tostring(released[2]) then
    redis.call('HSET', group, 'a:' .. released[1], 0)
  end
end
for _, partition in ipairs(change.abandoned) do redis.call('HINCRBY', group, 'a:' .. partition, 1) end
for _, grant in ipairs(change.fresh) do redis.call('HSET', group, 'e:' .. grant[1], grant[2]) end
local answer = {}
for _, partition in ipairs(change.owned) do
  local position = redis.call('HMGET', group, 'n:' .. partition, 'a:' .. partition)
  table.insert(answer, tonumber(position[1]))
  table.insert(answer, tonumber(position[2]))
end
if ARGV[5] == '1' and redis.call('HGET', group, 'temporary') == '1' then
  redis.call('DEL', group)
  redis.call('SREM', base .. ':groups', ARGV[1])
end
if ARGV[4] == '1' then redis.call('PUBLISH', base .. ':wake', 'g ' .. ARGV[1]) end
return answer`,
};

/** Arguments: group, partition, epoch, position. Answers 0 if the epoch has passed. */
export const commit: Script = {
  name: 'heddleCommit',
  lua: `local group = KEYS[1] .. ':g:' .. ARGV[1]
if redis.call('HGET', group, 'e:' .. ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('HSET', group, 'n:' .. ARGV[2], ARGV[4], 'a:' .. ARGV[2], 0)
return 1`,
};

/** Argument: group. Answers for each partition how many messages are not done, then the state (or empty). */
export const lag: Script = {
  name: 'heddleLag',
  lua: `${requireTopic}
local base = KEYS[1]
local group = base .. ':g:' .. ARGV[1]
local answer = {}
for partition = 0, redis.call('HGET', base, 'partitions') - 1 do
  local stream = base .. ':p:' .. partition
  local position = tonumber(redis.call('HGET', group, 'n:' .. partition) or 1)
  local last = tonumber(redis.call('HGET', base .. ':next', partition) or 0)
  local first = redis.call('XRANGE', stream, position .. '-0', '+', 'COUNT', 1)[1]
  if first then
    table.insert(answer, last - tonumber(string.match(first[1], '^%d+')) + 1)
  else
    table.insert(answer, 0)
  end
end
table.insert(answer, redis.call('HGET', group, 'state') or '')
return answer`,
};

/** All of them: each is defined as a command of the client. */
export const scripts: readonly Script[] = [
  createTopic,
  deleteTopic,
  append,
  upkeep,
  lookAtGroup,
  makeGroup,
  stepGroup,
  commit,
  lag,
];
