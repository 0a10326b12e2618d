package docs_test

// aboutTheLibrary are the documents all of whose times, sizes and large numbers are checked. The others tell of other
// software, or of measurements.
var aboutTheLibrary = []string{
	"README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "examples/gateway/README.md", "docs/callers.md",
	"docs/clouds-and-authorities.md", "docs/mcp.md", "docs/migrating.md", "docs/operations.md", "docs/reasons.md",
	"docs/replicas.md", "docs/requirements.md", "docs/quickstart.md", "docs/seeds.md", "examples/metrics/alerts.yml",
}

// uniqueNumbers are constants whose value, with one of these units, means nothing else in the documents.
var uniqueNumbers = []struct{ constant, units string }{
	{"keyset.keyLifetime", "hours"},
	{"keyset.cachePatience", "ms milliseconds"},
	{"keyset.maxEntry", "MiB"},
	{"keyset.maxWaiting", "requests"},
	{"entra.defaultMaxTokenSize", "KiB"},
	{"fetch.maxSize", "MiB"},
	{"jws.maxMembers", "members"},
	{"quote.Limit", "bytes"},
}

// statements are the phrases in which documents state constants. Each # stands for a number, and what follows for the names
// of the constants, one a number. The rest is a regular expression.
var statements = []struct {
	text      string
	constants []string
}{
	// How long keys live, and when they are refreshed.
	{`outage of Entra of up to #, less #, costs nothing`, []string{"outage that costs nothing", "keyset.refreshSpread"}},
	{`# after the last good document,? the next use of a key`, []string{"keyset.refreshAfter"}},
	{`older than #`, []string{"keyset.refreshAfter"}},
	{`a random part of # later`, []string{"keyset.refreshSpread"}},
	{`refreshed about once #`, []string{"keyset.refreshAfter"}},
	{`steady use \| one # for each replica`, []string{"keyset.refreshAfter"}},
	{`The refresh # later is spread`, []string{"keyset.refreshAfter"}},
	{`their first refreshes come within #`, []string{"keyset.refreshSpread"}},
	{`fetches \[once # each\]`, []string{"keyset.refreshAfter"}},
	{`one fetch of about 10 KB #`, []string{"keyset.refreshAfter"}},
	{`once the keys are # old \| 1 # \| 300 #, one in #`, []string{
		"keyset.refreshAfter", "keyset.refreshAfter", "keyset.refreshAfter", "time between fetches of 300 replicas"}},
	{`next refresh is due # later`, []string{"keyset.refreshAfter"}},
	{`300 replicas make about # of some 10 KB #: one in #`, []string{
		"hourly fetches of 300 replicas", "keyset.refreshAfter", "time between fetches of 300 replicas"}},

	// How long fetches take, and requests wait.
	{`1 MiB and # at most`, []string{"fetch.Timeout"}},
	{`waits for one fetch,(?: at most,)? #`, []string{"keyset.fetchTimeout"}},
	{`wait for one fetch, # at most`, []string{"keyset.fetchTimeout"}},
	{`waits for one fetch at most, #`, []string{"keyset.fetchTimeout"}},
	{`fetches them and waits, # at most`, []string{"keyset.fetchTimeout"}},
	{`a fetch ends after #`, []string{"fetch.Timeout"}},
	// A fetch that hangs ends at fetchTimeout, and the next one follows at once: the pause counts from its start.
	{`within # of Entra's return`, []string{"keyset.fetchTimeout"}},
	{`with a context that ends after #`, []string{"keyset.cacheTimeout"}},
	{`requests wait at a time, # while no key is held`, []string{"keyset.maxWaitingEmpty"}},

	// When fetches for unknown keys start, and those after failures.
	{`is accepted # and a fetch \(#\)`, []string{"keyset.unknownMax", "keyset.fetchTimeout"}},
	{`at most # (?:fetches )?in (?:its|the) first #`, []string{"fetches in 5 minutes", "5 minutes"}},
	{`one # after that`, []string{"keyset.unknownMax"}},
	{`it reaches, then one #`, []string{"keyset.unknownMax"}},
	{`the next fetch may start # later, at most # later after many`, []string{"keyset.unknownMin", "keyset.unknownMax"}},
	{`mends itself within #`, []string{"keyset.unknownMax"}},
	{`at most one fetch #`, []string{"keyset.unknownMax"}},
	{`one # at most`, []string{"keyset.unknownMax"}},
	{`cost a fetch after # at the soonest, then ever fewer, down to one #`, []string{"keyset.unknownMin", "keyset.unknownMax"}},
	{`#, 10, 20, 40 … # later`, []string{"seconds of the first pause", "keyset.unknownMax"}},
	{`# in the first hour, then # # \(one #\) \| #, then # #`, []string{
		"fetches in the first hour", "fetches in the second hour", "an hour", "keyset.unknownMax",
		"fetches of 300 replicas in the first hour", "fetches of 300 replicas in the second hour", "an hour"}},
	{`Entra is asked about once #`, []string{"keyset.failureMax"}},
	{`is honoured, up to # while keys are held and # while none is`, []string{"keyset.failureMax", "keyset.failureMaxEmpty"}},
	{`as .Retry-After. says, # at most`, []string{"keyset.failureMax"}},
	{`after 1, 3, 7, 15, 31(?:,| and) #`, []string{"last growing pause"}},
	{`after 1, 3 and #, then every #`, []string{"last growing pause without keys", "keyset.failureMaxEmpty"}},

	// The document for AuthorizationServerMetadata.
	{`from the options, once # at most`, []string{"authserver.refreshAfter"}},
	{`renewed once #`, []string{"authserver.refreshAfter"}},
	{`first asked for, then once #`, []string{"authserver.refreshAfter"}},

	// What is bounded.
	{`tokens \(#\), their headers \(#, #\), the depth of values in each other \(#\), documents \(#, #\), keys \(#\)`, []string{
		"entra.defaultMaxTokenSize", "jws.maxHeader", "jws.maxMembers", "strictjson.MaxDepth", "fetch.maxSize", "fetch.Timeout", "keyset.maxKeys"}},
	{`remembered tokens \(#\), header segments \(# a key\)`, []string{"entra.defaultCacheSize", "keyset.maxHeaders"}},
	{`is larger than # or # members`, []string{"jws.maxHeader", "jws.maxMembers"}},
	{`JSON object of at most #`, []string{"entra.maxClaimsChallenge"}},
	{`kept for the last #`, []string{"entra.defaultCacheSize"}},
	{`21 KB\. Default: #`, []string{"entra.defaultCacheSize"}},
	{`bound is .Options\.CacheSize., # by default`, []string{"entra.defaultCacheSize"}},
	{`MaxTokenSize: a number of .bytes.; default #`, []string{"entra.defaultMaxTokenSize"}},

	{`Requests returns the last #`, []string{"entratest.requestsKept"}},

	// The log.
	{`At most # are written in # for one reason`, []string{"loglimit.lines", "loglimit.window"}},
	{`at most # are written in # for one reason`, []string{"loglimit.lines", "loglimit.window"}},
	{`than # are logged for one reason in #`, []string{"loglimit.lines", "loglimit.window"}},
	{`each refusal, # in # for each reason`, []string{"loglimit.lines", "loglimit.window"}},

	// Clocks.
	{`may be apart\. Default: #`, []string{"policy.defaultClockSkew"}},
	{`below # or above # is a mistake`, []string{"policy.minClockSkew", "policy.maxClockSkew"}},
	{`exp, nbf, iat, within #`, []string{"policy.defaultClockSkew"}},
	{`.ClockSkew. is # here`, []string{"policy.defaultClockSkew"}},
	{`ClockSkew: a .duration. such as 2m; default #m`, []string{"minutes of skew"}},
}

// foreignNumbers are phrases with numbers that no constant of the library decides: measurements, Entra's own times, other
// software's, and the terms of tests.
var foreignNumbers = []string{
	// README.md and CONTRIBUTING.md: how long things take on a developer's machine, and how the peers behave.
	`invented key IDs in # \| 1 fetch`, `no new key for #`, `# of each fuzz target`,
	`half # of soak`,
	// Entra's.
	`where # is too long`, `a token can live for # and more`, `token for up to #`, `tokens are cached for up to #`,
	`of about # for Entra's documents`, `of some # an hour`, `of about # an hour while`,
	`A document has some #, so that 300 replicas load # #`,
	// Ways of speaking.
	`for most of #`, `is frozen for #`, `is for # or two`,
	// Measured, or the terms of a test.
	`signature in #`, `\| # \| # of garbage, for the claims`, `\| 50 ms \| # of garbage; about #`,
	`\| 2 to #; # with a bad signature \| # of garbage`,
	`A usual token \(#\) occupies # while it is remembered, one with 200 groups \(#\) #\.`, `makes # of usual ones and # of those`,
	`their third ones within #`, `a hundred replicas for # of virtual time`,
	`100 replicas, #, one rotation: 2400 fetches, 1\.00 # and replica`,
	// Other software.
	`remembered for #, by user`, `is # by default; # are enough`, `of which # \(.tune`,
	`default of #, HAProxy answers 400 to a token of #,`, `.maxconn. × #`,
	// The corpora of docs/seeds.md.
	`expired # ago`, `valid in #`, `issued in #`, `\| # \| accepts \| accepts \| .too_large`,
	// HTTP caches.
	`clients may keep for #`, `half a list for #`,
}
