# SPDX-License-Identifier: MIT
# Makefile - builds, tests and installs weir. `make help` lists targets and variables.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- What the caller may set ------------------------------------------------------------------------

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
INSTALL ?= install

comma := ,
BUILD ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

# The shared library follows ELF's naming; elsewhere only the static one is built.
SHARED ?= $(if $(filter Darwin,$(shell uname -s)),0,1)

# The zlib backend is a library of its own, built when zlib is there for this compiler and these flags.
ifndef ZLIB
ZLIB := $(shell printf '\043include <zlib.h>\nint main(void) { return !zlibVersion(); }\n' | \
          $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -x c - -o /dev/null -lz >/dev/null 2>&1 && echo 1)
endif

# Peers of other people's making, for the tests, each when it is there for this compiler and these flags.
probe = $(shell printf '\043include <stdlib.h>\n\043include <$(1)>\nint main(void) { return !$(2)(0); }\n' | \
          $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(peer_cflags) -x c - -o /dev/null $(3) >/dev/null 2>&1 && echo 1)
peer_cflags := $(shell pkg-config --cflags libnghttp2 2>/dev/null) $(shell pkg-config --cflags libwslay 2>/dev/null)
nghttp2_libs := $(shell pkg-config --libs libnghttp2 2>/dev/null || echo -lnghttp2)
wslay_libs := $(shell pkg-config --libs libwslay 2>/dev/null || echo -lwslay)
ifndef NGHTTP2
NGHTTP2 := $(call probe,nghttp2/nghttp2.h,nghttp2_version,$(nghttp2_libs))
endif
ifndef WSLAY
WSLAY := $(call probe,wslay/wslay.h,wslay_event_want_read,$(wslay_libs))
endif
# C++ peers for the benchmarks.
probe_cxx = $(shell printf '\043include <$(1)>\nint main() { return 0; }\n' | \
              $(CXX) $(CPPFLAGS) -x c++ -fsyntax-only - >/dev/null 2>&1 && echo 1)
# Can the compiler count what it makes run?
ifndef COUNTED
COUNTED := $(shell echo 'int x;' | $(CC) $(CFLAGS) -fsanitize-coverage=trace-pc -x c -c - -o /dev/null \
             >/dev/null 2>&1 && echo 1)
endif

# ---- Flags ------------------------------------------------------------------------------------------

# The caller's flags come last, so that they win. TEST_CFLAGS come behind them for what only tests are made of.
warnings := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wcast-align \
            -Wstrict-prototypes -Wmissing-prototypes -Wundef $(if $(filter 1,$(WERROR)),-Werror)
sanitizers := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
compile = $(CC) -std=c99 $(warnings) -fvisibility=hidden -Iinclude $(1) $(CPPFLAGS) $(sanitizers) $(CFLAGS) $(2) \
          -MMD -MP -c -o $@ $<
link = $(CC) $(sanitizers) $(CFLAGS) $(LDFLAGS) -o $@

soname_flag := -Wl,-soname,
# $(call run,WORD,FILE,COMMAND): a short line for each command, with V=1 the command itself.
run = $(if $(filter 1,$(V)),,@printf '  %-3s %s\n' '$(1)' '$(2)'; )$(3)

core_flags := -Isrc
program_flags := -Idocs/examples -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE
# Asked when it is first needed, since `deps` may just have brought it, and then no more.
cmocka_cflags = $(eval cmocka_cflags := $(shell pkg-config --cflags cmocka 2>/dev/null))$(cmocka_cflags)
cmocka = $(eval cmocka := $(shell pkg-config --libs cmocka 2>/dev/null || echo -lcmocka))$(cmocka)
test_flags = -Isrc -Itests/harness $(program_flags) -DWEIR_VECTORS='"$(CURDIR)/tests/vectors"' $(cmocka_cflags)

# ---- Files ------------------------------------------------------------------------------------------

floors := base time http ws sse
sources := $(foreach floor,$(floors),$(wildcard src/$(floor)/*.c))
ifeq ($(MBEDTLS),1)
sources := $(filter-out src/base/sha1.c src/base/sha1_x86.c src/base/base64.c,$(sources)) src/backends/mbedtls.c
libs := -lmbedcrypto
endif

version := $(shell sed -n 's/.define WEIR_VERSION "\(.*\)"/\1/p' include/weir/base.h)
so := libweir.so.$(version)
soname := libweir.so.$(basename $(version))

zlib_so := libweir-zlib.so.$(version)
zlib_soname := libweir-zlib.so.$(basename $(version))

obj := $(BUILD)/obj
# src/http/reply.c becomes http_reply.o: members of an archive need names of their own.
flat = $(subst /,_,$(patsubst src/%.c,%.o,$(1)))
static_objects := $(addprefix $(obj)/static/,$(call flat,$(sources)))
shared_objects := $(addprefix $(obj)/shared/,$(call flat,$(sources)))
# AMALGAM=1: the static library is compiled as one file too.
ifeq ($(AMALGAM),1)
static_objects := $(obj)/amalgam.o
endif
static_lib := $(BUILD)/libweir.a
shared_lib := $(BUILD)/$(so)
zlib_lib := $(if $(filter 1,$(ZLIB)),$(BUILD)/libweir-zlib.a)
zlib_shared := $(if $(filter 1,$(ZLIB)),$(BUILD)/$(zlib_so))
zlib_libs := $(if $(filter 1,$(ZLIB)),-lz)
# What is left out without zlib, or with it.
zlib_only := $(if $(filter 1,$(ZLIB)),%/deflate_none.c,%/test_zlib.c %/test_zlib_backend.c %/test_zlib_faults.c \
               %/attacks_inflate.c %/test_nghttp2_packed.c %/fuzz_ws_deflate.c %/deflate_zlib.c)

# What the examples' loop waits with: epoll(7), or poll(2) which is everywhere.
LINUX := $(findstring linux,$(shell $(CC) -dumpmachine 2>/dev/null))
EPOLL ?= $(if $(LINUX),1,0)
wait_only := $(if $(filter 1,$(EPOLL)),%/poll_wait.c,%/epoll.c)

programs := $(patsubst docs/examples/%.c,$(BUILD)/examples/%,$(wildcard docs/examples/*.c))
example_parts := $(patsubst %.c,$(obj)/%.o,$(filter-out $(zlib_only) $(wait_only),$(wildcard \
                   docs/examples/adapters/*.c docs/examples/common/*.c docs/examples/demo/*.c))) \
                 $(if $(wildcard docs/examples/demo/page.html),$(obj)/page.o)
example_lib := $(obj)/libexamples.a

harness_objects := $(patsubst %.c,$(obj)/%.o,$(wildcard tests/harness/*.c))
harness_lib := $(obj)/libharness.a
units := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(filter-out $(zlib_only) \
           $(if $(filter 1,$(MBEDTLS)),,%/test_mbedtls.c),$(wildcard tests/unit/test_*.c)))
# Weir once more for each choice of fewer vector instructions (src/base/simd.h), with the tests that it can matter to:
# a processor takes the widest it has, and so do all other tests. CHOICES= leaves them out.
CHOICES ?= $(if $(findstring WEIR_SIMD,$(CPPFLAGS) $(CFLAGS)),,0 1 2)
choice_tests := $(addprefix test_,base_ascii base_mask base_sha1 base_simd base_utf8 http_check http_lines \
                  http_fields http_head http_straight sse_parse sse_scan sse_write ws_handshake ws_next ws_receive \
                  ws_roundtrip ws_send)
choice_programs := $(foreach n,$(CHOICES),$(patsubst %,$(BUILD)/tests/%-simd$(n),$(choice_tests)))
attacks := $(patsubst tests/attacks/%.c,$(BUILD)/tests/%,$(filter-out $(zlib_only) \
             $(if $(filter 1,$(COUNTED)),,%/attacks_work.c),$(wildcard tests/attacks/attacks_*.c)))
peers := $(patsubst tests/peers/%.c,$(BUILD)/tests/%,$(filter-out $(zlib_only) \
           $(if $(filter 1,$(NGHTTP2)),,%/test_nghttp2.c %/test_nghttp2_fields.c %/test_nghttp2_packed.c) \
           $(if $(filter 1,$(WSLAY)),,%/test_wslay.c),$(wildcard tests/peers/test_*.c)))
# Tests in which system calls fail: the linker puts others in their place (in a C library that is linked static as
# well, which is not meant).
FAULTS ?= $(if $(LINUX),1,0)
fault_sources := $(if $(filter 1,$(FAULTS)),$(wildcard tests/faults/test_*.c))
faults := $(patsubst tests/faults/%.c,$(BUILD)/tests/%,$(filter-out $(zlib_only),$(fault_sources)))
# The library once more, counting the blocks of code that it runs. This and the choices are compiled as one file, the
# one of `make amalgam`: a compiler's start costs as much as a source.
counted_lib := $(obj)/libcounted.a
amalgam := $(BUILD)/amalgam/weir.c
fuzzers := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(filter-out $(zlib_only) \
             $(if $(filter 1,$(WSLAY)),,%/fuzz_ws_wslay.c),$(wildcard fuzz/fuzz_*.c)))
# `make test` replays inputs of theirs; FUZZ=0 leaves that out.
FUZZ ?= 1
replayed := $(if $(filter 1,$(FUZZ)),$(fuzzers))
fuzz_parts := $(patsubst fuzz/%.c,$(obj)/fuzz/%.o,$(filter-out fuzz/fuzz_%.c fuzz/replay.c,$(wildcard fuzz/*.c))) \
              $(patsubst tests/harness/%.c,$(obj)/fuzz/%.o,$(wildcard tests/harness/*_reference.c))
fuzz_lib := $(obj)/libfuzz.a
fuzz_flags := $(core_flags) $(program_flags) -Itests/harness $(if $(filter 1,$(ZLIB)),-DFUZZ_ZLIB) \
              $(if $(filter 1,$(WSLAY)),$(peer_cflags))
# What drives them: the file that replays inputs, or an engine's flag or library, linked with FUZZ_LD.
FUZZ_DRIVER ?=
FUZZ_LD ?= $(CC)
# These build the tree anew with flags of their own, so a run under sanitizers leaves them out.
PORTABILITY ?= $(if $(SANITIZE),0,1)
portability := $(if $(filter 1,$(PORTABILITY)),$(sort $(wildcard tests/portability/*.sh)) \
                 tests/tools/readme_taste.sh)

# ---- Targets ----------------------------------------------------------------------------------------

.PHONY: all lib examples demo units tests test portability coverage mutate faults bench bench-instructions \
        bounded interop soak conformance fuzz deps deps-interop install uninstall lint analyze abi abi-update \
        format amalgam sizes clean help cmocka FORCE

all: lib examples
lib: $(static_lib) $(zlib_lib) $(if $(filter 1,$(SHARED)),$(shared_lib) $(zlib_shared))
examples: $(programs)
ifeq ($(FUZZ_SECONDS),)
fuzz: $(fuzzers)
else
fuzz:
	@fuzz/run.sh
endif

# A stamp's time changes only when what it says changes. Objects depend on flags.compile, what is made of
# them on flags.link, which also names the parts: a source that is gone leaves the library.
$(BUILD)/flags.compile: export STAMP = $(call compile,$(core_flags) $(program_flags),$(TEST_CFLAGS)) $(CURDIR)
$(BUILD)/flags.link: export STAMP = $(AR) $(link) $(libs) $(zlib_libs) $(sources) $(example_parts) \
                                       $(harness_objects) $(fuzz_parts) $(FUZZ_DRIVER) $(FUZZ_LD)
$(BUILD)/flags.%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$STAMP" | cmp -s - $@ || printf '%s\n' "$$STAMP" >$@

# For each floor: $(obj)/static/FLOOR_x.o and $(obj)/shared/FLOOR_x.o from src/FLOOR/x.c.
define floor_rules
$(obj)/static/$(1)_%.o: src/$(1)/%.c $(BUILD)/flags.compile
	@mkdir -p $$(@D)
	$$(call run,CC,$$<,$$(call compile,$(core_flags)))
$(obj)/shared/$(1)_%.o: src/$(1)/%.c $(BUILD)/flags.compile
	@mkdir -p $$(@D)
	$$(call run,CC,$$<,$$(call compile,$(core_flags) -fPIC))
endef
$(foreach floor,$(floors) backends,$(eval $(call floor_rules,$(floor))))

$(BUILD)/flags.amalgam: export STAMP = $(wildcard src/*/*.[ch] include/weir/*.h)
$(amalgam): LICENSE $(wildcard src/*/*.[ch] include/weir/*.h) tests/tools/amalgam.sh $(BUILD)/flags.amalgam
	@tests/tools/amalgam.sh $(@D)

$(obj)/amalgam.o: $(amalgam) $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile))
$(obj)/counted.o: $(amalgam) $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,-fsanitize-coverage=trace-pc))

# For each choice N: the library, the tests' objects, and the programs.
define choice_rules
$(obj)/simd$(1)/weir.o: $(amalgam) $(BUILD)/flags.compile
	@mkdir -p $$(@D)
	$$(call run,CC,$$<,$$(call compile,-DWEIR_SIMD=$(1)))
$(obj)/simd$(1)/tests/unit/%.o: tests/unit/%.c $(BUILD)/flags.compile | cmocka
	@mkdir -p $$(@D)
	$$(call run,CC,$$<,$$(call compile,$$(test_flags) -DWEIR_SIMD=$(1),$(TEST_CFLAGS)))
$(filter %-simd$(1),$(choice_programs)): $(BUILD)/tests/%-simd$(1): $(obj)/simd$(1)/tests/unit/%.o $(harness_lib) \
    $(obj)/simd$(1)/weir.o $(BUILD)/flags.link
	@mkdir -p $$(@D)
	$$(call run,LD,$$@,$$(link) $$(filter %.o %.a,$$^) $$(cmocka) $$(libs))
endef
$(foreach n,$(CHOICES),$(eval $(call choice_rules,$(n))))

$(static_lib): $(static_objects)
$(example_lib): $(example_parts)
$(harness_lib): $(harness_objects)
$(counted_lib): $(obj)/counted.o
$(fuzz_lib): $(fuzz_parts)
$(BUILD)/libweir-zlib.a: $(obj)/static/backends_zlib.o
$(static_lib) $(BUILD)/libweir-zlib.a $(example_lib) $(harness_lib) $(counted_lib) $(fuzz_lib): \
    $(BUILD)/flags.link
	@mkdir -p $(@D)
	@rm -f $@
	$(call run,AR,$@,$(AR) rcs $@ $(filter %.o,$^))

$(shared_lib): $(shared_objects) $(BUILD)/flags.link
	$(call run,LD,$@,$(link) -shared $(soname_flag)$(soname) $(filter %.o,$^) $(libs))
	@ln -sf $(so) $(BUILD)/$(soname)
	@ln -sf $(soname) $(BUILD)/libweir.so

$(BUILD)/$(zlib_so): $(obj)/shared/backends_zlib.o $(BUILD)/flags.link
	$(call run,LD,$@,$(link) -shared $(soname_flag)$(zlib_soname) $(filter %.o,$^) $(zlib_libs))
	@ln -sf $(zlib_so) $(BUILD)/$(zlib_soname)
	@ln -sf $(zlib_soname) $(BUILD)/libweir-zlib.so

$(BUILD)/gen/page.c: docs/examples/demo/page.html tests/tools/embed.sh
	@mkdir -p $(@D)
	@tests/tools/embed.sh demo_page $< >$@

$(obj)/page.o: $(BUILD)/gen/page.c $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(program_flags)))

$(obj)/docs/%.o: docs/%.c $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(program_flags)))

$(obj)/tests/%.o: tests/%.c $(BUILD)/flags.compile | cmocka
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(test_flags),$(TEST_CFLAGS)))

# It is the heap: what a compiler knows of malloc's results does not hold inside.
$(obj)/tests/unit/test_nomalloc.o: test_flags += -fno-builtin

$(obj)/tests/peers/%.o: tests/peers/%.c $(BUILD)/flags.compile | cmocka
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(test_flags) $(peer_cflags),$(TEST_CFLAGS)))

$(obj)/fuzz/%.o: fuzz/%.c $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(fuzz_flags),$(TEST_CFLAGS)))
$(obj)/fuzz/%_reference.o: tests/harness/%_reference.c $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(fuzz_flags),$(TEST_CFLAGS)))

$(programs): $(BUILD)/examples/%: $(obj)/docs/examples/%.o $(example_lib) \
    $(zlib_lib) $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o %.a,$^) $(libs) $(zlib_libs))

$(units): $(BUILD)/tests/%: $(obj)/tests/unit/%.o $(harness_lib) \
    $(zlib_lib) $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o %.a,$^) $(cmocka) $(libs) $(zlib_libs))

$(faults): $(BUILD)/tests/%: $(obj)/tests/faults/%.o $(obj)/tests/faults/faults.o $(obj)/tests/faults/talker.o \
    $(example_lib) $(harness_lib) $(zlib_lib) $(static_lib) tests/faults/wrap.flags $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) -Wl$(comma)@tests/faults/wrap.flags $(filter %.o %.a,$^) $(cmocka) $(libs) $(zlib_libs))

$(filter-out %/attacks_work,$(attacks)): $(BUILD)/tests/%: $(obj)/tests/attacks/%.o $(harness_lib) \
    $(zlib_lib) $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o %.a,$^) $(cmocka) $(libs) $(zlib_libs))

$(BUILD)/tests/attacks_work: $(obj)/tests/attacks/attacks_work.o $(harness_lib) $(counted_lib) \
    $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o %.a,$^) $(cmocka) $(libs))

$(filter %/test_wslay,$(peers)): $(BUILD)/tests/%: $(obj)/tests/peers/%.o $(harness_lib) $(static_lib) \
    $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o %.a,$^) $(cmocka) $(libs) $(wslay_libs))

$(filter-out %/test_wslay,$(peers)): $(BUILD)/tests/%: $(obj)/tests/peers/%.o $(obj)/tests/peers/h2.o \
    $(harness_lib) $(zlib_lib) $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o %.a,$^) $(cmocka) $(libs) $(zlib_libs) $(nghttp2_libs))

$(filter %/fuzz_ws_wslay,$(fuzzers)): peer_libs := $(wslay_libs)
$(fuzzers): $(BUILD)/fuzz/%: $(obj)/fuzz/%.o $(if $(FUZZ_DRIVER),,$(obj)/fuzz/replay.o) $(fuzz_lib) \
    $(zlib_lib) $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(FUZZ_LD) $(sanitizers) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(FUZZ_DRIVER) \
	    $(peer_libs) $(libs) $(zlib_libs))

demo: $(BUILD)/examples/demo_server
	@exec $< --port $(or $(PORT),0) $(if $(HOST),--host $(HOST))

# ---- Tests ------------------------------------------------------------------------------------------

export CC BUILD MBEDTLS RUNNER

deps:
	@tests/tools/deps.sh test
deps-interop:
	@tests/tools/deps.sh interop

# With `make deps test` the packages come first, also under -j.
cmocka: | $(filter deps,$(MAKECMDGOALS))
	@tests/tools/deps.sh check

units: $(units) $(faults)
tests: units $(choice_programs) $(attacks) $(peers) $(replayed)
test: tests $(static_lib)
	@tests/tools/run.sh $(portability) $(units) $(choice_programs) $(faults) $(attacks) $(peers) $(replayed)

# Writes event streams for other people's readers.
$(obj)/tests/interop/%.o: tests/interop/%.c $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(program_flags)))
$(BUILD)/tests/sse_write: $(obj)/tests/interop/sse_write.o $(example_lib) $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o %.a,$^) $(libs))

interop: examples $(BUILD)/tests/sse_write | $(filter deps-interop,$(MAKECMDGOALS))
	@tests/interop/run.sh

coverage:
	@tests/coverage/run.sh $(ARGS)

# Mutants of src/, and faults planted there, against the unit tests and the attacks.
mutate_tests := $(units) $(filter-out %/attacks_work,$(attacks))
mutate faults: export TEST_FLAGS = $(test_flags)
mutate faults: export TEST_LIBS = $(cmocka) $(libs) $(zlib_libs)
mutate: export MUTATE_CHOICES = $(CHOICES)
mutate: export MUTATE_CHOICE_TESTS = $(choice_tests)
mutate: $(mutate_tests) $(choice_programs)
	@tests/mutate/run.py $(notdir $(mutate_tests))
faults: $(mutate_tests)
	@tests/mutate/faults.py $(notdir $(mutate_tests))

# The programs for ten minutes under a load of all manners of peers, and what they notice of the dead.
$(BUILD)/soak/soak: $(patsubst %.c,$(obj)/%.o,$(filter-out %/clock.c,$(wildcard tests/soak/*.c))) \
    $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o,$^))
$(BUILD)/soak/clock.so: $(obj)/tests/soak/clock.o $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) -shared $(filter %.o,$^))
$(obj)/tests/soak/%.o: tests/soak/%.c $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(program_flags) -fPIC -fvisibility=default))
soak: examples $(BUILD)/soak/soak $(BUILD)/soak/clock.so
	@SOAK_SECONDS=$(or $(SECONDS),600) CONNECTIONS=$(or $(CONNECTIONS),2000) tests/soak/run.sh

conformance: examples
	@tests/conformance/run.sh $(ARGS)

# TARGETS: those of tests/cross/run.sh, all if empty.
portability:
	@tests/cross/run.sh $(TARGETS)

lint: lib
	@tests/lint/run.sh
abi:
	@tests/abi/run.sh
abi-update:
	@tests/abi/run.sh --update
analyze:
	@tests/lint/run.sh analyzer scan cppcheck

format:
	clang-format -i $(wildcard include/weir/*.h src/*/*.[ch] docs/examples/*.[ch] docs/examples/*/*.[ch] \
	                           tests/*/*.[ch] fuzz/*.[ch])

amalgam: $(amalgam)

sizes:
	@tests/tools/sizes.sh --write

# ---- Benchmarks -------------------------------------------------------------------------------------

BENCH ?= bounds websocket handshake streams $(if $(filter Linux,$(shell uname -s)),echo choosing)
benches := $(addprefix $(BUILD)/bench/,$(BENCH))
# What is compared with is built for this very processor, weir as it always is.
PEER_CFLAGS ?= -O3 -march=native
bench_goal := $(filter bench,$(MAKECMDGOALS))
ifndef BEAST
BEAST := $(if $(bench_goal),$(call probe_cxx,boost/beast/websocket.hpp))
endif
ifndef WEBSOCKETPP
WEBSOCKETPP := $(if $(bench_goal),$(call probe_cxx,websocketpp/processors/hybi13.hpp))
endif
cxx_peers := $(if $(filter 1,$(BEAST)),beast) $(if $(filter 1,$(WEBSOCKETPP)),websocketpp)
echo_servers := $(BUILD)/bench/echo_kernel $(BUILD)/examples/ws_echo_server \
                $(patsubst %,$(BUILD)/bench/echo_%,$(if $(filter 1,$(WSLAY)),wslay) $(cxx_peers))
peer_codecs := $(patsubst %,$(obj)/bench/%_codec.o,$(if $(filter 1,$(WSLAY)),wslay) $(cxx_peers))
peer_libs := $(if $(filter 1,$(WSLAY)),$(wslay_libs)) $(if $(strip $(cxx_peers)),-lstdc++ -pthread)
bench_flags := $(program_flags) $(if $(filter 1,$(ZLIB)),-DBENCH_ZLIB) \
               $(if $(filter 1,$(WSLAY)),-DBENCH_WSLAY $(peer_cflags)) \
               $(if $(filter 1,$(BEAST)),-DBENCH_BEAST) $(if $(filter 1,$(WEBSOCKETPP)),-DBENCH_WEBSOCKETPP)
bench_objects = $(patsubst tests/%.c,$(obj)/%.o,tests/bench/bench.c $(wildcard $(addprefix tests/bench/,$(1))))

$(BUILD)/flags.bench: export STAMP = $(bench_flags) $(CXX) $(PEER_CFLAGS)
$(obj)/bench/%.o: tests/bench/%.c $(BUILD)/flags.compile $(BUILD)/flags.bench
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(bench_flags)))

$(obj)/bench/limit_codec.o: bench_flags += $(PEER_CFLAGS)
$(obj)/bench/%.o: tests/bench/%.cpp $(BUILD)/flags.compile $(BUILD)/flags.bench
	@mkdir -p $(@D)
	$(call run,CXX,$<,$(CXX) -std=c++17 -w -Iinclude -D_POSIX_C_SOURCE=200809L $(CPPFLAGS) -g $(PEER_CFLAGS) \
	  -MMD -MP -c -o $@ $<)

$(BUILD)/bench/bounds: $(call bench_objects,bounds.c) $(call bench_objects,heap.c)
$(BUILD)/bench/websocket: $(call bench_objects,websocket.c messages.c weir_codec.c limit_codec.c) $(peer_codecs)
$(BUILD)/bench/handshake: $(call bench_objects,handshake.c messages.c weir_handshake.c) \
    $(patsubst %,$(obj)/bench/%_codec.o,$(cxx_peers))
$(BUILD)/bench/streams: $(call bench_objects,streams*.c events.c)
$(BUILD)/bench/instructions: $(call bench_objects,instructions.c messages.c events.c weir_codec.c weir_handshake.c)
$(BUILD)/bench/echo: $(call bench_objects,echo.c) | $(echo_servers)
$(BUILD)/bench/choosing: $(call bench_objects,choosing*.c)
$(benches) $(BUILD)/bench/instructions: $(zlib_lib) $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o,$^) $(filter %.a,$^) $(peer_libs) $(libs) $(zlib_libs))

$(BUILD)/bench/echo_kernel $(BUILD)/bench/echo_wslay: $(BUILD)/bench/%: $(obj)/bench/%.o \
    $(obj)/bench/echo_epoll.o $(static_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o,$^) $(filter %.a,$^) $(peer_libs) $(libs))
$(addprefix $(BUILD)/bench/echo_,$(cxx_peers)): $(BUILD)/bench/%: $(obj)/bench/%.o $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(CXX) $(LDFLAGS) -o $@ $(filter %.o,$^) -pthread)

bench: export ECHO_SERVERS = $(echo_servers)
bench: $(benches)
	@tests/bench/run.sh $(benches)

# Counts must not depend on the caller's flags.
counts := $(BUILD)/counts
bench-instructions:
	+@$(MAKE) -s BUILD=$(counts)/baseline CFLAGS='-O2 -g' CPPFLAGS=-DWEIR_SIMD=1 SANITIZE= \
	  $(counts)/baseline/bench/instructions
	+@$(MAKE) -s BUILD=$(counts)/chosen CFLAGS='-O2 -g' CPPFLAGS= SANITIZE= $(counts)/chosen/bench/instructions
	@tests/bench/instructions.sh $(if $(filter 1,$(UPDATE)),--update) $(counts)/baseline/bench/instructions \
	  $(counts)/chosen/bench/instructions

# ---- Bounds -----------------------------------------------------------------------------------------

bounded_flags := $(program_flags) $(if $(filter 1,$(ZLIB)),-DBOUNDED_ZLIB)
bounded_programs := $(addprefix $(BUILD)/bounded/,marks growth growth-counted)
bounded_objects = $(patsubst tests/%.c,$(obj)/%.o,$(filter-out $(1),$(wildcard tests/bounded/*.c)))

$(BUILD)/flags.bounded: export STAMP = $(bounded_flags)
$(obj)/bounded/%.o: tests/bounded/%.c $(BUILD)/flags.compile $(BUILD)/flags.bounded
	@mkdir -p $(@D)
	$(call run,CC,$<,$(call compile,$(bounded_flags)))
$(BUILD)/bounded/marks: $(call bounded_objects,%/growth.c %/growth_writers.c) $(obj)/bench/heap.o $(static_lib)
$(BUILD)/bounded/growth: $(call bounded_objects,%/marks.c %/rooms.c) $(static_lib)
$(BUILD)/bounded/growth-counted: $(call bounded_objects,%/marks.c %/rooms.c) $(counted_lib)
$(bounded_programs): $(zlib_lib) $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(call run,LD,$@,$(link) $(filter %.o,$^) $(zlib_lib) $(filter-out $(zlib_lib),$(filter %.a,$^)) $(libs) \
	  $(zlib_libs))

bounded: $(bounded_programs)
	@tests/bounded/run.sh $(if $(filter 1,$(FULL)),--full)

# ---- Installation -----------------------------------------------------------------------------------

# Paths below PREFIX are written relative to it, so that the tree can be moved.
relative = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

install: lib
	$(INSTALL) -d $(DESTDIR)$(INCLUDEDIR)/weir $(DESTDIR)$(LIBDIR)/pkgconfig
	$(INSTALL) -m 644 include/weir/*.h $(DESTDIR)$(INCLUDEDIR)/weir
	$(INSTALL) -m 644 $(static_lib) $(DESTDIR)$(LIBDIR)
ifeq ($(SHARED),1)
	$(INSTALL) -m 755 $(shared_lib) $(DESTDIR)$(LIBDIR)
	ln -sf $(so) $(DESTDIR)$(LIBDIR)/$(soname)
	ln -sf $(soname) $(DESTDIR)$(LIBDIR)/libweir.so
endif
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(call relative,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call relative,$(INCLUDEDIR))|' -e 's|@VERSION@|$(version)|' \
	    -e 's|@LIBS_PRIVATE@|$(libs)|' pkgconfig/weir.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/weir.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/weir.pc
ifeq ($(ZLIB),1)
	$(INSTALL) -m 644 $(zlib_lib) $(DESTDIR)$(LIBDIR)
ifeq ($(SHARED),1)
	$(INSTALL) -m 755 $(zlib_shared) $(DESTDIR)$(LIBDIR)
	ln -sf $(zlib_so) $(DESTDIR)$(LIBDIR)/$(zlib_soname)
	ln -sf $(zlib_soname) $(DESTDIR)$(LIBDIR)/libweir-zlib.so
endif
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(call relative,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call relative,$(INCLUDEDIR))|' -e 's|@VERSION@|$(version)|' \
	    pkgconfig/weir-zlib.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/weir-zlib.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/weir-zlib.pc
endif

uninstall:
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/weir/,$(notdir $(wildcard include/weir/*.h)))
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libweir.a libweir.so $(soname) $(so) pkgconfig/weir.pc \
	         libweir-zlib.a libweir-zlib.so $(zlib_soname) $(zlib_so) pkgconfig/weir-zlib.pc)
	-rmdir $(DESTDIR)$(INCLUDEDIR)/weir

# Only what a build makes: BUILD may be a directory that holds other things too.
clean:
	rm -rf $(addprefix $(BUILD)/,obj gen examples tests bench bounded counts fuzz amalgam sizes lint portability \
	         interop conformance coverage mutate cross abi soak flags.compile flags.link flags.amalgam \
	         flags.bench flags.bounded \
	         libweir.a libweir.so $(soname) $(so) libweir-zlib.a libweir-zlib.so $(zlib_soname) $(zlib_so))
	-@rmdir $(BUILD) 2>/dev/null || :

help:
	@cat tests/tools/help.txt

-include $(shell find $(obj) -name '*.d' 2>/dev/null)
