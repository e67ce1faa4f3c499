-- Ranges of one length at random places of a file.
local length = tonumber(os.getenv("RANGE"))
local size = tonumber(os.getenv("SIZE"))
math.randomseed(42)

request = function()
    local first = math.random(0, size - length)
    return wrk.format("GET", nil, { ["Range"] = "bytes=" .. first .. "-" .. (first + length - 1) })
end
