-- Realistic events for wrk: mixed types and names, about 850 bytes each, every message id unique.
-- BATCH events a request (0: single events to /v1/track). Each connection pauses between requests, for DELAY_MS on
-- average: strangers do not send in step.

local batch = tonumber(os.getenv("BATCH") or "0")
local pause = tonumber(os.getenv("DELAY_MS") or "0")
local run = os.getenv("RUN_ID") or "run"

local names = {"Product Viewed", "Product Added", "Cart Viewed", "Order Completed",
               "Products Searched", "Promotion Clicked", "Signed Up", "Article Read"}
local agents = {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"}

local heads, tails = {}, {}
for i = 1, 512 do
  local page = string.format(
    '"context":{"library":{"name":"headwater.js","version":"1.0.0"},"locale":"en-GB","userAgent":"%s",' ..
    '"page":{"url":"https://shop.example/category/%d/item-%d?utm_source=mail","path":"/category/%d/item-%d","title":"Item %d of the collection","referrer":"https://www.search.example/"},' ..
    '"screen":{"width":1440,"height":900,"density":2}}', agents[i % 2 + 1], i % 17, i * 7919 % 10007, i % 17, i * 7919 % 10007, i)
  local body
  if i % 8 == 0 then
    body = string.format('"type":"page","name":"Item","properties":{"path":"/category/%d/item-%d","title":"Item %d","position":%d}', i % 17, i * 7919 % 10007, i, i)
  else
    body = string.format(
      '"type":"track","event":"%s","properties":{"product_id":"p-%d","sku":"SKU-%d","name":"Thing number %d","price":%d.%02d,"quantity":%d,"currency":"EUR","category":"Category %d","coupon":%s,"in_stock":%s,"position":%d}',
      names[i % 8 + 1], i * 31 % 997, i * 37 % 9973, i, i % 200, i % 100, i % 5 + 1, i % 17, i % 3 == 0 and "null" or '"SPRING"', i % 2 == 0 and "true" or "false", i)
  end
  heads[i] = '{' .. body .. ',' .. page .. ',"timestamp":"2026-11-25T10:00:0' .. (i % 10) .. '.' .. string.format("%03d", i) .. 'Z","anonymousId":"anon-' .. (i * 104729 % 50021) .. '","messageId":"' .. run .. '-'
  tails[i] = '"}'
end

local threads = 0
setup = function(thread)
  threads = threads + 1
  thread:set("thread_number", threads)
end

local counter = 0
local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Basic YmVuY2gta2V5Og=="}

-- The requests as they are but for the part of the message ids that differs each time: that joins the pieces, in one
-- call, so that making the load takes little of the machine.
local bodies = {}
local events = math.max(batch, 1)
for first = 1, 512, events do
  local pieces, before = {}, batch == 0 and "" or '{"batch":['
  for i = 0, events - 1 do
    local at = (first + i - 1) % 512 + 1
    pieces[#pieces + 1] = before .. heads[at]
    before = "-" .. i .. tails[at] .. ","
  end
  local last = "-" .. (events - 1) .. tails[(first + events - 2) % 512 + 1]
  pieces[#pieces + 1] = last .. (batch == 0 and "" or '],"sentAt":"2026-11-25T10:00:10.000Z"}')
  bodies[#bodies + 1] = pieces
end

request = function()
  counter = counter + 1
  local body = table.concat(bodies[counter % #bodies + 1], string.format("%d-%010d", thread_number, counter))
  return wrk.format("POST", batch == 0 and "/v1/track" or "/v1/batch", headers, body)
end

if pause > 0 then
  delay = function() return math.random(0, 2 * pause) end
end

done = function(summary, latency)
  io.write(string.format('RESULT {"requests":%d,"seconds":%.6f,"errors":%d,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
