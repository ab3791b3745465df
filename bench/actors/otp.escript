#!/usr/bin/env escript
%%! +S 1:1
%% The work of bench/actors on Erlang/OTP. Reads lines "SUBJECT OPERATIONS" and answers each with nanoseconds for one
%% operation (`idle`: bytes for one process). One scheduler, as everybody else has one thread.
-mode(compile).

main(_) ->
    io:format("ready ~s~n", [erlang:system_info(otp_release)]),
    loop().

loop() ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            [Subject, Text] = string:lexemes(string:trim(Line), " "),
            Operations = list_to_integer(Text),
            %% A process of its own for each run: its heap starts small and is gone behind it.
            Self = self(),
            spawn(fun() -> Self ! {figure, figure(Subject, Operations)} end),
            receive {figure, Figure} -> io:format("~w~n", [Figure]) end,
            loop()
    end.

figure("idle", Count) -> idle(Count);
figure(Subject, Operations) ->
    Start = erlang:monotonic_time(nanosecond),
    work(Subject, Operations),
    (erlang:monotonic_time(nanosecond) - Start) / Operations.

work("tell", N) ->
    Counter = spawn(fun() -> counter(0) end),
    send(Counter, N),
    N = read(Counter),
    Counter ! stop;
work("pingPong", N) ->
    Self = self(),
    Pong = spawn(fun() -> receive {peer, Ping} -> player(Ping, Self) end end),
    Ping = spawn(fun() -> player(Pong, Self) end),
    Pong ! {peer, Ping},
    Ping ! {ball, N},
    receive over -> ok end,
    Ping ! stop, Pong ! stop;
work("ask", N) ->
    Counter = spawn(fun() -> counter(0) end),
    ask(Counter, N),
    Counter ! stop;
work("spawn", N) ->
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)],
    Self = self(),
    Last = spawn(fun() -> Self ! started end),
    receive started -> Last end,
    lists:foreach(fun(Pid) -> Pid ! stop end, Pids),
    Monitor = monitor(process, lists:last(Pids)),
    receive {'DOWN', Monitor, process, _, _} -> ok end;
work("fanIn", N) ->
    Counter = spawn(fun() -> counter(0) end),
    Each = N div 1000,
    [spawn(fun() -> send(Counter, Each) end) || _ <- lists:seq(1, 1000)],
    until(Counter, Each * 1000),
    Counter ! stop;
work("ring", N) ->
    Self = self(),
    First = spawn(fun() -> receive {peer, Next} -> player(Next, Self) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> player(Next, Self) end) end, First, lists:seq(2, 10000)),
    First ! {peer, Last},
    First ! {ball, N},
    receive over -> ok end,
    %% It goes round: each passes the stop on before it ends.
    First ! stop_all.

counter(Sum) ->
    receive
        {add, By} -> counter(Sum + By);
        {read, From, Tag} -> From ! {Tag, Sum}, counter(Sum);
        stop -> ok
    end.

player(Next, Main) ->
    receive
        {ball, 0} -> Main ! over, player(Next, Main);
        {ball, Left} -> Next ! {ball, Left - 1}, player(Next, Main);
        stop_all -> Next ! stop_all;
        stop -> ok
    end.

send(_, 0) -> ok;
send(Pid, Left) -> Pid ! {add, 1}, send(Pid, Left - 1).

%% What gen_server:call does: a monitor, a request, a receive with a deadline.
read(Pid) ->
    Tag = monitor(process, Pid),
    Pid ! {read, self(), Tag},
    receive
        {Tag, Sum} -> demonitor(Tag, [flush]), Sum;
        {'DOWN', Tag, process, _, Reason} -> exit(Reason)
    after 60000 -> exit(timeout)
    end.

ask(_, 0) -> ok;
ask(Pid, Left) -> read(Pid), ask(Pid, Left - 1).

until(Pid, Sum) ->
    case read(Pid) of
        Sum -> ok;
        _ -> until(Pid, Sum)
    end.

idle(Count) ->
    erlang:garbage_collect(),
    Before = erlang:memory(processes_used),
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, Count)],
    Self = self(),
    spawn(fun() -> Self ! started end),
    receive started -> ok end,
    Bytes = (erlang:memory(processes_used) - Before) / Count,
    lists:foreach(fun(Pid) -> Pid ! stop end, Pids),
    Bytes.
