"""Metrics by interval: facts about calls, people and messages added up in tumbling windows (CONTRACT 7, DECISIONS 39).

`diary` keeps the windows of one extension and tells what changed; `scope_book` adds that up for teams, queues, sites
and accounts. Both keep their windows in pages (`pages`) and publish them by one rule (`publishing`).
"""
