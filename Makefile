# What one does with this package; `make` alone lists it. What takes more than a line is in scripts/.

SOURCES = Package.swift Sources Tests Fuzz/Entry.swift

# Where `make install` installs.
PREFIX = /usr/local
DESTDIR =

.PHONY: help demo playground test stress nginx servers scaling night soak audit attack fuzz sanitize agreement bench build install uninstall deb generate portable \
  documents check-generated check format lint clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

demo: ## see a page being cleared: a throwaway PostgreSQL, a small cache, the listener
	@scripts/demo

playground: ## the same site, left running until Ctrl-C, with commands to try
	@scripts/demo --playground

test: ## run all tests, on a PostgreSQL of their own; prints the summary, or all on failure
	@scripts/test

stress: ## try to make the listener leave a stale page; a quarter of an hour, or STRESS="--quick --nodes 5"
	@scripts/stress table $(STRESS)
	@scripts/stress recheck

nginx: ## try to make nginx serve a stale page from its own cache; five minutes, or NGINX="--rounds 10"
	@scripts/stress nginx $(NGINX)

servers: ## run what a server answers on PostgreSQL 15 to 18, fetched as needed; SERVERS="--tests-only 17"
	@scripts/servers $(SERVERS)

scaling: ## measure what 1 to 200 nodes cost the database; ten minutes, or SCALING="--nodes 10"
	@scripts/build >&2
	@FPCACHE_BIN='$(CURDIR)/.build/release/fpcache' scripts/stress scale $(SCALING)

night: ## make one fault after the other for ten minutes, and print what the listener says; NIGHT="held killed"
	@scripts/night $(NIGHT)

soak: ## run one listener under random faults and see whether it grows; SOAK="--minutes 20"
	@scripts/stress soak $(SOAK)

audit: ## run verify on 100,000 files with faults, on the incident, and for 10 minutes beside a listener
	@scripts/stress audit $(AUDIT)

bench: ## measure beside the floor and its peers; an hour and more, or BENCH="--quick --only drain,scan"
	@Benchmarks/run $(BENCH)

attack: ## swap folders for links to a canary during 200,000 clears; a few minutes
	@scripts/stress attack $(ATTACK)

sanitize: ## run all tests under the thread sanitizer, and under the address sanitizer
	@scripts/sanitize thread
	@scripts/sanitize address

fuzz: ## feed every reader of outside input what libFuzzer thinks of; FUZZ="--seconds 60 ini"
	@scripts/fuzz $(FUZZ)

agreement: ## compare stats with du and find over a tree of 100,000 files
	@FPCACHE_AGREEMENT_FILES=100000 scripts/test --filter DuAgreement

portable: ## build the program as if this were not Linux, and read the sources as for FreeBSD and musl
	@scripts/portable

build: ## build the release program: .build/release/fpcache
	@scripts/build

install: ## install what `make build` has made; PREFIX=/usr/local, DESTDIR=, and see scripts/install
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install

uninstall: ## remove what install has installed, with the same settings
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install --remove

deb: ## build Debian's package: .build/deb/fpcache_*.deb
	@scripts/deb

generate: ## make completions/ and man/ of the command line's own definition
	@scripts/generate

documents: ## put into the documents what their command lines say now
	@FPCACHE_UPDATE_DOCS=1 scripts/test --filter DocumentTests
	@scripts/generate

check-generated: ## check that they are what it makes
	@scripts/generate --check

check: ## check shell scripts, completions and manual pages with the tools made for them
	@scripts/check

format: ## put all Swift sources into the house's format
	swift format --in-place --recursive --parallel $(SOURCES)

lint: ## check that they are
	@swift format lint --strict --recursive --parallel $(SOURCES)

clean: ## remove what was built
	rm -rf .build
