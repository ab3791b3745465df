%% The twin of spimpl.ts for Erlang/OTP: the same work with plain processes. Prints one number.
-module(actors).
-export([main/1]).

main([Subject, Operations]) ->
    N = list_to_integer(Operations),
    _ = measure(Subject, min(N, 10000)),
    io:format("~p~n", [measure(Subject, N)]),
    halt(0).

measure("tell", N) ->
    Sink = spawn(fun() -> sink(0) end),
    timed(N, fun() -> tell(Sink, N), N = done(Sink) end);
measure("pingPong", N) ->
    Two = spawn(fun echo/0),
    timed(N, fun() -> ping(Two, N div 2) end);
measure("ask", N) ->
    Sink = spawn(fun() -> sink(0) end),
    timed(N, fun() -> ask(Sink, N) end);
measure("spawnStop", N) ->
    timed(N, fun() ->
        Pids = [spawn_monitor(fun idle/0) || _ <- lists:seq(1, N)],
        [Pid ! stop || {Pid, _} <- Pids],
        [receive {'DOWN', Ref, process, _, _} -> ok end || {_, Ref} <- Pids]
    end);
measure("fanIn", N) ->
    Sink = spawn(fun() -> sink(0) end),
    Each = max(N div 1000, 1),
    Senders = [spawn(fun() -> receive go -> tell(Sink, Each) end end) || _ <- lists:seq(1, 1000)],
    timed(Each * 1000, fun() -> [Pid ! go || Pid <- Senders], until(Sink, Each * 1000) end);
measure("ring", N) ->
    Self = self(),
    First = spawn(fun() -> receive {next, Pid} -> link_loop(Pid, Self) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> link_loop(Next, Self) end) end, First, lists:seq(2, 10000)),
    First ! {next, Last},
    timed(N, fun() -> First ! {token, N}, receive finished -> ok end end);
measure("idle", N) ->
    erlang:garbage_collect(),
    Before = erlang:memory(processes),
    Pids = [spawn(fun idle/0) || _ <- lists:seq(1, N)],
    After = erlang:memory(processes),
    [Pid ! stop || Pid <- Pids],
    (After - Before) / N.

timed(N, Run) ->
    Start = erlang:monotonic_time(nanosecond),
    Run(),
    (erlang:monotonic_time(nanosecond) - Start) / N.

sink(Sum) ->
    receive
        {count, By} -> sink(Sum + By);
        {done, From, Ref} -> From ! {Ref, Sum}, sink(Sum)
    end.

tell(_, 0) -> ok;
tell(Sink, N) -> Sink ! {count, 1}, tell(Sink, N - 1).

done(Sink) ->
    Ref = make_ref(),
    Sink ! {done, self(), Ref},
    receive {Ref, Sum} -> Sum end.

until(Sink, N) ->
    case done(Sink) of
        N -> ok;
        _ -> until(Sink, N)
    end.

ask(_, 0) -> ok;
ask(Sink, N) -> done(Sink), ask(Sink, N - 1).

echo() -> receive {ball, From} -> From ! {ball, self()}, echo() end.

ping(_, 0) -> ok;
ping(Two, N) -> Two ! {ball, self()}, receive {ball, _} -> ping(Two, N - 1) end.

link_loop(Next, Main) ->
    receive
        {token, 0} -> Main ! finished, link_loop(Next, Main);
        {token, N} -> Next ! {token, N - 1}, link_loop(Next, Main)
    end.

idle() -> receive stop -> ok end.
